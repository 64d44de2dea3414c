/// Picks a plausible label for a text: by feeling, by the words of a subject, or at random.
struct Classifier: Sendable {
    var labels: [String]

    func label(for text: String, _ random: inout SeededRandom) -> String {
        let words = Words.of(text)
        return bySentiment(words) ?? bySubject(words) ?? first(of: ["other", "neutral", "none", "unknown"])
            ?? random.pick(labels)
    }

    private func bySentiment(_ words: [String]) -> String? {
        guard let good = first(of: ["positive", "good"]), let bad = first(of: ["negative", "bad"]) else {
            return nil
        }
        let feeling = Self.feeling(in: words)
        if feeling == 0 { return first(of: ["neutral", "mixed", "other"]) ?? bad }
        return feeling > 0 ? good : bad
    }

    /// The label that has most words of the text, as its name or in its subject.
    private func bySubject(_ words: [String]) -> String? {
        let scores = labels.map { label in
            let names = Words.of(label)
            let subject = names.reduce(into: Set(names)) { $0.formUnion(Self.subjects[$1] ?? []) }
            return words.count { subject.contains($0) }
        }
        guard let best = scores.max(), best > 0 else { return nil }
        return scores.firstIndex(of: best).map { labels[$0] }
    }

    private func first(of names: Set<String>) -> String? {
        labels.first { names.contains(Words.lowercased($0)) }
    }

    /// Above 0 if more words speak well than ill; a negation shortly before turns one round.
    private static func feeling(in words: [String]) -> Int {
        var sum = 0
        for (index, word) in words.enumerated() where good.contains(word) || bad.contains(word) {
            let isNegated = words[max(0, index - 3)..<index].contains {
                $0 == "not" || $0 == "never" || $0.hasSuffix("n't")
            }
            sum += good.contains(word) != isNegated ? 1 : -1
        }
        return sum
    }
}

extension Classifier {
    private static let good = words(
        """
        amazing awesome best better excellent fantastic fast fine friendly good great happy helpful impressed like love \
        loved nice perfect pleased recommend reliable thanks wonderful works
        """)

    private static let bad = words(
        """
        angry awful bad broke broken crash crashed damaged defective disappointed error fail failed hate horrible late \
        lost missing poor problem rude slow terrible unacceptable useless waste worse worst wrong
        """)

    private static let subjects = [
        "access": words(
            "access account authenticator email invitation invite locked log login password permission reset role sign sso"
        ),
        "billing": words(
            "bill billed card charge charged credit invoice paid pay payment price refund subscription tax twice vat"
        ),
        "bug": words("broken bug crash crashes error exception fail fails freeze freezes timeout wrong"),
        "cancellation": words("cancel cancelled close delete terminate unsubscribe"),
        "feature": words("add feature idea request suggestion support wish would"),
        "how": words("can does how possible what where which"),
        "outage": words("down outage unavailable unreachable"),
        "praise": words("excellent great love thank thanks wonderful"),
        "security": words("attack breach leak leaked phishing suspicious vulnerability"),
        "shipping": words(
            "arrive arrived courier deliver delivered delivery package parcel shipped tracking"),
        "spam": words("casino click congratulations free lottery offer prize seo win winner won"),
    ]

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(separator: " ").map(String.init))
    }
}
