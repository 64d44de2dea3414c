import JSON
import Jobs

/// One member of a body under its full name; each reading says what it expects when the value is something else.
struct Field {
    var name: String
    var value: JSON

    func refuse(_ expected: String, limit: Int? = nil) -> Problem {
        Problem(.invalidField, "“\(name)” must be \(expected), not \(found)", field: name, limit: limit)
    }

    /// The kind of what is there, and the value itself only if it is a short scalar.
    private var found: String {
        switch value.kind {
        case .null: "null"
        case .bool, .number:
            value.raw.count <= 40 ? String(decoding: value.raw, as: UTF8.self) : "a long number"
        case .string: value.raw.count <= 60 ? String(decoding: value.raw, as: UTF8.self) : "a long string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension Field {
    func text() throws(Problem) -> String {
        guard let text = value.string else { throw refuse("a string") }
        return text
    }

    /// A string within so many bytes of UTF-8, without control characters.
    func line(bytes: ClosedRange<Int>) throws(Problem) -> String {
        let expected =
            "a string of \(bytes.lowerBound) to \(bytes.upperBound) bytes without control characters"
        guard let text = value.string, bytes.contains(text.utf8.count), !Text.hasControls(text) else {
            throw refuse(expected, limit: bytes.upperBound)
        }
        return text
    }

    func queueName() throws(Problem) -> String {
        guard let text = value.string, Text.isQueueName(text) else {
            throw refuse(Text.queueNameExpectation, limit: JobLimits.nameBytes.upperBound)
        }
        return text
    }

    func integer(in range: ClosedRange<Int>) throws(Problem) -> Int {
        guard let number = value.wholeNumber, range.contains(number) else {
            throw refuse("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func flag() throws(Problem) -> Bool {
        guard let flag = value.bool else { throw refuse("true or false") }
        return flag
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) throws(Problem) -> Choice
    where Choice.RawValue == String {
        guard let choice = value.string.flatMap(Choice.init(rawValue:)) else {
            throw refuse("one of " + Choice.allCases.map { "“\($0.rawValue)”" }.joined(separator: ", "))
        }
        return choice
    }

    func time() throws(Problem) -> Timestamp {
        guard let time = value.string.flatMap(Timestamp.init(text:)) else {
            throw refuse("an RFC 3339 time such as “2026-11-20T09:00:00Z”")
        }
        return time
    }

    /// A duration in text, or a number of seconds.
    func duration() throws(Problem) -> Milliseconds {
        guard let duration = span else { throw refuse(DurationText.expectation) }
        return duration
    }

    private var span: Milliseconds? {
        value.string.flatMap(DurationText.parse) ?? value.double.flatMap(DurationText.milliseconds(seconds:))
    }

    /// US dollars as decimal text, or as a plain number.
    func money() throws(Problem) -> Money {
        guard let text = value.string ?? value.decimalText, let money = Money(dollars: text) else {
            throw refuse("an amount of US dollars with up to nine places, such as “0.05”")
        }
        return money
    }

    /// A time, or a duration from now.
    func timeOrDuration(now: Timestamp) throws(Problem) -> Timestamp {
        if let time = value.string.flatMap(Timestamp.init(text:)) { return time }
        guard let span else { throw refuse("an RFC 3339 time or \(DurationText.expectation)") }
        return now + span
    }

    /// Up to 20 tags, each once.
    func tags() throws(Problem) -> [String] {
        let expected = "an array of at most \(JobLimits.tags) tags"
        guard let elements = value.elements, elements.count <= JobLimits.tags else {
            throw refuse(expected, limit: JobLimits.tags)
        }
        var tags: [String] = []
        for (index, element) in elements.enumerated() {
            let tag = try Field(name: "\(name)[\(index)]", value: element).line(bytes: JobLimits.tagBytes)
            if !tags.contains(tag) { tags.append(tag) }
        }
        return tags
    }

    /// An array that has something in it.
    func demandElements(_ expected: String, limit: Int? = nil) throws(Problem) {
        guard value.kind == .array else { throw refuse(expected, limit: limit) }
        guard value.count > 0 else {
            throw Problem(.invalidField, "“\(name)” must not be empty", field: name, limit: limit)
        }
    }

    /// Any object, verbatim.
    func metadata() throws(Problem) -> [UInt8] {
        guard value.kind == .object, value.raw.count <= JobLimits.metadataBytes else {
            throw refuse(
                "an object of at most \(JobLimits.metadataBytes) bytes", limit: JobLimits.metadataBytes)
        }
        return Array(value.raw)
    }
}

/// What names may look like.
enum Text {
    static let queueNameExpectation =
        "1 to \(JobLimits.nameBytes.upperBound) characters of A–Z a–z 0–9 . _ : / -, with no part that is . or .."

    /// Whether a path can lead to something of that name: clients take `.` and `..` away, escaped or not.
    static func canBeAddressed(_ name: String) -> Bool {
        !name.split(separator: "/", omittingEmptySubsequences: false).contains { $0 == "." || $0 == ".." }
    }

    static func isQueueName(_ text: String) -> Bool {
        JobLimits.nameBytes.contains(text.utf8.count) && canBeAddressed(text)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "-")...UInt8(ascii: ":"), UInt8(ascii: "_"):
                    // From - to : stand - . / 0…9 : and nothing else.
                    true
                default: false
                }
            }
    }

    /// Those of ASCII and of Latin-1: terminals obey both.
    static func hasControls(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }
    }
}
