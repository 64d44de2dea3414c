/// What a provider's refusal to take a batch means for the jobs in it.
///
/// Only if the provider takes no batches do they go at full price: a key, a limit or a spend cap passes, and one request that
/// is refused concerns no other.
package enum BatchRefusal: Hashable, Sendable {
    /// The same batch may be taken later.
    case passes
    /// One request, by its place, is not taken.
    case request(Int)
    /// Fewer requests may be taken.
    case tooLarge
    /// No batch is taken.
    case unavailable

    /// `count` is how many requests were sent.
    package init(_ refusal: Refusal, of count: Int) {
        switch refusal.status {
        case 401, 402, 403, 408, 409, 429: self = .passes
        case 413: self = count > 1 ? .tooLarge : .request(0)
        default:
            if SpendCap(refusal) != nil {
                self = .passes
            } else if let index = Self.index(in: refusal.message), index < count {
                self = .request(index)
            } else {
                self = .unavailable
            }
        }
    }

    /// As errors name a request: `requests.3.params.max_tokens: …`, or `requests[3]`.
    private static func index(in message: String) -> Int? {
        guard let name = message.firstRange(of: "requests") else { return nil }
        let rest = message[name.upperBound...]
        guard let token = rest.first, token == "." || token == "[" else { return nil }
        return Int(rest.dropFirst().prefix { $0.isASCII && $0.isNumber })
    }
}
