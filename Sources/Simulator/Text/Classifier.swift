/// Picks a plausible label for a text: by feeling, by subject, or, if nothing helps, at random.
struct Classifier: Sendable {
    var labels: [String]

    func label(for text: String, _ random: inout SeededRandom) -> String {
        let words = Words.of(text)
        return bySentiment(words) ?? bySubject(words) ?? byDefault() ?? random.pick(labels)
    }

    private func bySentiment(_ words: [String]) -> String? {
        guard let good = first(of: Lexicon.goodLabels), let bad = first(of: Lexicon.badLabels) else {
            return nil
        }
        let (positive, negative) = Lexicon.feelings(in: words)
        if positive > 0, positive == negative, let mixed = first(of: ["mixed"]) { return mixed }
        if positive == negative { return first(of: Lexicon.neutralLabels) ?? (positive > 0 ? good : bad) }
        return positive > negative ? good : bad
    }

    /// The label with the most of its words, or of its subject's, in the text.
    private func bySubject(_ words: [String]) -> String? {
        let scores = labels.map { label in score(label, words) }
        guard let best = scores.max(), best > 0 else { return nil }
        return scores.firstIndex(of: best).map { labels[$0] }
    }

    private func score(_ label: String, _ words: [String]) -> Int {
        let names = Words.of(label)
        let keywords = names.reduce(into: Set<String>()) { all, name in
            all.formUnion(Lexicon.subject(of: name))
        }
        return words.reduce(0) { sum, word in
            if names.contains(where: { shareStem($0, word) }) { return sum + 3 }
            return keywords.contains(word)
                || keywords.contains(String(word.dropLast(word.hasSuffix("s") ? 1 : 0)))
                ? sum + 1 : sum
        }
    }

    private func byDefault() -> String? {
        first(of: [
            "other", "general", "neutral", "unknown", "none", "misc", "miscellaneous", "normal", "medium",
        ])
    }

    private func first(of names: Set<String>) -> String? {
        labels.first { names.contains(Words.lowercased($0)) }
    }

    private func shareStem(_ a: String, _ b: String) -> Bool {
        let length = min(a.utf8.count, b.utf8.count)
        return a == b || (length >= 5 && a.utf8.prefix(length - 1).elementsEqual(b.utf8.prefix(length - 1)))
    }
}
