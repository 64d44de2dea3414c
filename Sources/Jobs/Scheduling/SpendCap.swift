/// A provider's refusal because money, not capacity, has run out.
///
/// Known for certain are 402, and 429 with a code that says so: the tier's cap lasts until the first of next month,
/// 00:00 UTC. Others are recognized by their wording alone: the cap that the customer set, often with the date when
/// access returns, and credit that is used up.
struct SpendCap {
    var until: Timestamp?
    /// Only the wording says so: another job's call must confirm it.
    var suspected: Bool

    init?(_ refusal: Refusal) {
        switch refusal.meantStatus {
        case 402:
            suspected = false
        case 429 where refusal.code.map(Self.isCode) == true:
            suspected = false
        case 429 where Self.opens(refusal.message):
            suspected = true
        case 400 where refusal.code.map(Self.isCode) == true || refusal.type == "billing_error":
            suspected = true
        case 400 where Self.opens(refusal.message), 403 where Self.opens(refusal.message):
            suspected = true
        default:
            return nil
        }
        until = Self.date(in: refusal.message)
    }

    /// `enforced_spend_limit_reached`, `contract_spend_limit_reached`; OpenAI's words for used-up credit and for the cap that
    /// a customer set.
    private static func isCode(_ code: String) -> Bool {
        code.hasSuffix("spend_limit_reached") || code == "insufficient_quota"
            || code == "billing_hard_limit_reached"
    }

    /// How the known messages begin.
    private static let openings = [
        "you have reached your specified api usage limits",
        "you have reached your specified workspace api usage limits",
        "your credit balance is too low",
        "billing hard limit has been reached",
        "you exceeded your current quota",
    ]

    /// An error that quotes a prompt begins with its own words: what a user wrote is never taken for a provider's.
    private static func opens(_ message: String) -> Bool {
        let words = message.drop { $0.isWhitespace }.prefix(80).lowercased()
        return openings.contains { words.hasPrefix($0) }
    }

    /// The first `YYYY-MM-DD` in the text, with the time `at HH:MM UTC` if one follows; midnight UTC otherwise.
    private static func date(in text: String) -> Timestamp? {
        let words = text.split { !($0.isASCII && ($0.isNumber || $0 == "-" || $0 == ":")) }.map(String.init)
        for (index, word) in words.enumerated() where word.utf8.count == 10 {
            guard let midnight = Timestamp(text: "\(word)T00:00:00Z") else { continue }
            let time = words.dropFirst(index + 1).first { $0.contains(":") }?.prefix(5) ?? ""
            return Timestamp(text: "\(word)T\(time):00Z") ?? midnight
        }
        return nil
    }
}
