/// A provider's refusal because money, not capacity, has run out.
///
/// Two forms are known. The tier's cap: 402, or 429 without `retry-after` whose `error_code` ends in
/// `spend_limit_reached`; it lasts until the first of next month, 00:00 UTC. The cap that the customer set: a 400
/// whose text says that the specified API usage limits were reached, often with the date when access returns.
struct SpendCap {
    var until: Timestamp?
    /// Only the wording says so: a probe must confirm it.
    var suspected: Bool

    init?(_ refusal: Refusal) {
        until = Self.date(in: refusal.message)
        switch refusal.meantStatus {
        case 402:
            suspected = false
        case 429 where refusal.code?.hasSuffix("spend_limit_reached") == true:
            suspected = false
        // OpenAI's word for credit that is used up.
        case 429 where refusal.code == "insufficient_quota":
            suspected = false
        case 400 where refusal.message.lowercased().contains("api usage limits"):
            suspected = true
        default:
            return nil
        }
    }

    /// The first `YYYY-MM-DD` in the text, with the time `at HH:MM UTC` where one follows; midnight UTC otherwise.
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
