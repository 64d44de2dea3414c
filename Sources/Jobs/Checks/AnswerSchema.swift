// A JSON Schema as a check uses it: the keywords that structured outputs allow, and besides those the bounds (of numbers,
// lengths and counts) that they do not. Only local references, none that come back to themselves.
// Source: JSON Schema 2020-12; platform.claude.com/docs/en/build-with-claude/structured-outputs.

package import JSON

/// A JSON Schema that was read and understood whole.
package struct AnswerSchema: Sendable {
    /// Schemas within one schema.
    package static let nodeLimit = 2_000
    /// Values looked at in one answer, each once for every schema that is asked about it.
    package static let visitLimit = 200_000
    /// What is wrong with one answer beyond this is not listed.
    package static let complaintLimit = 5

    var nodes: [Node]
    var root: Int

    struct Node: Sendable {
        /// `false`: nothing fits.
        var refusesAll = false
        var types: [String] = []
        var choices: [JSON]?
        var properties: [(name: String, node: Int)] = []
        var required: [String] = []
        var refusesOthers = false
        var others: Int?
        var items: Int?
        var parts: [Int] = []
        var anyOf: [Int] = []
        var oneOf: [Int] = []
        var bounds: [(keyword: Bound, limit: Double)] = []
        var pattern: Pattern?
        var format: (name: String, pattern: Pattern)?
    }

    /// Keywords that hold a number.
    enum Bound: String, Sendable, CaseIterable {
        case minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf
        case minLength, maxLength, minItems, maxItems, minProperties, maxProperties

        var isCount: Bool {
            switch self {
            case .minimum, .maximum, .exclusiveMinimum, .exclusiveMaximum, .multipleOf: false
            default: true
            }
        }
    }

    /// Reads a schema; the error's field begins with `name`.
    package init(_ json: JSON, named name: String) throws(CheckError) {
        var reader = SchemaReader(root: json, name: name)
        root = try reader.node(json, at: name)
        nodes = reader.nodes
    }

    /// What is wrong with a value, each with its place; empty if it fits.
    package func reasons(about value: JSON) -> [String] {
        var judge = SchemaJudge(schema: self)
        judge.judge(value, by: root, at: "")
        return judge.isExhausted ? ["it is too large to be checked"] : judge.reasons
    }
}
