import JSON
import Testing

/// One row of a table: what is asked, and what becomes of it.
struct Row: Sendable, CustomTestStringConvertible {
    var asked: String
    var becomes: String
    var testDescription: String { asked }

    init(_ asked: String, _ becomes: String) {
        self.asked = asked
        self.becomes = becomes
    }
}

/// With its members sorted, so that two forms of one value are the same text.
func canonical(_ text: String) throws -> String {
    var bytes: [UInt8] = []
    try JSON.parse(Array(text.utf8)).appendCanonical(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
}
