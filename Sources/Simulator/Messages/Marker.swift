import JSON

/// What a prompt asks of the simulator for its own call: `[[sim:status=529;retry-after=5]]`.
///
/// It may be anywhere in the body; several add up. Unknown words are an error, so that a typo is noticed.
struct Marker: Sendable, Equatable {
    var fault: Fault?
    /// The fault strikes the first so many calls of this very prompt, and later ones are answered.
    var times = Int.max
    /// Milliseconds before the first token, instead of what the settings say.
    var latency: Int64?
    var echoes = false
    /// The answer's exact text.
    var say: String?
    /// The answer's length in tokens.
    var outputTokens: Int?
    /// A name for the journal.
    var caller: String?
    /// How often the model wants to search the web.
    var searches = 0
    /// Answered in the batch tier.
    var isBatch = false
    /// Each piece of a stream says when it was sent, as `sim_sent_ms` by the boot clock.
    var stamps = false

    /// The fault that strikes this call of the prompt, counted from 1.
    func fault(ofRepetition repetition: Int) -> Fault? { repetition <= times ? fault : nil }

    /// Finds the markers in a body as it was sent: each is in one of its strings, and escaped as that is.
    static func find(in body: [UInt8]) throws(APIError) -> Marker? {
        var found: Marker?
        var at = 0
        while let start = body.firstRange(of: opening, from: at) {
            guard let end = body.firstRange(of: closing, from: start + opening.count) else { break }
            let text = Self.unescaped(body[start + opening.count..<end])
            var marker = found ?? Marker()
            do { try marker.read(text) } catch {
                throw .invalid("[[sim:\(text)]]: \(error.message)")
            }
            found = marker
            at = end + closing.count
        }
        return found
    }

    /// The bytes as they are if they are no whole string, as in a body that is no JSON: that is refused elsewhere.
    private static func unescaped(_ text: ArraySlice<UInt8>) -> String {
        let quote = UInt8(ascii: "\"")
        let string = try? JSON.parse([quote] + text + [quote]).string
        return string ?? String(decoding: text, as: UTF8.self)
    }

    private mutating func read(_ text: String) throws(SettingError) {
        for part in text.split(separator: ";") {
            let pair = part.split(separator: "=", maxSplits: 1).map { trimmed($0) }
            guard let name = pair.first else { continue }
            try set(name, pair.count == 2 ? pair[1] : nil)
        }
    }

    private mutating func set(_ name: String, _ value: String?) throws(SettingError) {
        switch (name, value) {
        case ("echo", nil): echoes = true
        case ("batch", nil): isBatch = true
        case ("stamp", nil): stamps = true
        case ("say", let value?): say = value
        case ("id", let value?): caller = value
        case ("times", let value?): times = try number(value)
        case ("searches", let value?): searches = try number(value)
        case ("output", let value?): outputTokens = try number(value)
        case ("latency", let value?): latency = try latency(value)
        case ("status", let value?): fault = try Fault(text: value)
        case (_, nil): fault = try Fault(text: name)
        case (_, let value?):
            guard fault?.set(name, to: value) == true else { throw SettingError("unknown: \(name)") }
        }
    }

    private func number(_ text: String) throws(SettingError) -> Int {
        guard let number = Int(text), number >= 0 else { throw SettingError("\(text) is no number") }
        return number
    }

    /// Bare numbers are milliseconds here; units as in settings.
    private func latency(_ text: String) throws(SettingError) -> Int64 {
        guard let wait = Int64(text) ?? milliseconds(text), wait >= 0 else {
            throw SettingError("\(text) is no latency; expected milliseconds, or 3s")
        }
        return wait
    }

    private static let opening = Array("[[sim:".utf8)
    private static let closing = Array("]]".utf8)
}

extension [UInt8] {
    /// Where the pattern first occurs, at or after `from`.
    func firstRange(of pattern: [UInt8], from: Int = 0) -> Int? {
        let last = count - pattern.count
        guard let first = pattern.first, from <= last else { return nil }
        var at = from
        while at <= last {
            if self[at] == first, holds(pattern, at: at) { return at }
            at += 1
        }
        return nil
    }

    private func holds(_ pattern: [UInt8], at start: Int) -> Bool {
        for index in pattern.indices where self[start + index] != pattern[index] { return false }
        return true
    }
}
