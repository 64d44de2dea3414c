import Jobs

/// A provider, or a relay before it, may send back what it was sent: its key shall not get into the database, the log or
/// another caller's answer.
extension Secret {
    private static let mark = Array("[redacted]".utf8)
    /// Anything shorter occurs in ordinary words too, and is no key.
    private static let shortest = 8
    /// What comes at the end of an excerpt.
    private static let cut = Array("…".utf8)

    func redacted(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let clean = redacted(bytes)
        return clean.count == bytes.count && clean == bytes ? text : String(decoding: clean, as: UTF8.self)
    }

    /// JSON stays JSON, as a key has nothing in it that JSON would escape.
    func redacted(_ bytes: [UInt8]) -> [UInt8] {
        let key = Array(reveal().utf8)
        guard key.count >= Self.shortest, let first = bytes.firstRange(of: key) else { return bytes }
        var clean = Array(bytes[..<first]) + Self.mark
        var rest = bytes[(first + key.count)...]
        while let next = rest.firstRange(of: key) {
            clean += rest[..<next] + Self.mark
            rest = rest[(next + key.count)...]
        }
        return clean + rest
    }

    /// The same of a text that may have been cut off in the middle of the key.
    func redacted(excerpt text: String) -> String {
        let clean = redacted(text)
        let key = Array(reveal().utf8)
        let bytes = Array(clean.utf8)
        for length in stride(from: key.count - 1, through: 2 * Self.shortest, by: -1) {
            guard let found = bytes.suffix(length + Self.cut.count).firstRange(of: Array(key[..<length]))
            else { continue }
            return String(decoding: Array(bytes[..<found]) + Self.mark, as: UTF8.self)
        }
        return clean
    }

}

extension RandomAccessCollection where Element == UInt8, Index == Int {
    /// Where these bytes begin; by their first one, which is rare in what models say at length.
    fileprivate func firstRange(of key: [UInt8]) -> Int? {
        guard let first = key.first, count >= key.count else { return nil }
        var start = startIndex
        let last = endIndex - key.count
        while start <= last, let found = self[start...last].firstIndex(of: first) {
            if self[found..<(found + key.count)].elementsEqual(key) { return found }
            start = found + 1
        }
        return nil
    }
}

extension Outcome {
    func redacting(_ secret: Secret) -> Outcome {
        var outcome = self
        outcome.requestID = requestID.map { secret.redacted(excerpt: $0) }
        switch result {
        case .answer(var answer):
            answer.body = secret.redacted(answer.body)
            answer.model = secret.redacted(excerpt: answer.model)
            answer.stopReason = secret.redacted(excerpt: answer.stopReason)
            outcome.result = .answer(answer)
        case .refusal(let refusal):
            outcome.result = .refusal(refusal.redacting(secret))
        case .broken(var breakage):
            breakage.message = secret.redacted(excerpt: breakage.message)
            outcome.result = .broken(breakage)
        case .abandoned: break
        }
        return outcome
    }
}

extension Refusal {
    func redacting(_ secret: Secret) -> Refusal {
        var refusal = self
        refusal.message = secret.redacted(excerpt: message)
        refusal.type = type.map { secret.redacted(excerpt: $0) }
        refusal.code = code.map { secret.redacted(excerpt: $0) }
        return refusal
    }
}

extension AnswerHead {
    func redacting(_ secret: Secret) -> AnswerHead {
        AnswerHead(
            requestID: requestID.map { secret.redacted(excerpt: $0) },
            headers: headers.map { Header(name: $0.name, value: secret.redacted($0.value)) }, limits: limits)
    }
}

/// Tells a listener what it may know.
struct RedactingListener: AnswerListener {
    let listener: any AnswerListener
    let secret: Secret

    func began(_ head: AnswerHead) { listener.began(head.redacting(secret)) }

    func heard(_ event: AnswerEvent) {
        listener.heard(AnswerEvent(name: event.name, data: secret.redacted(event.data)))
    }
}
