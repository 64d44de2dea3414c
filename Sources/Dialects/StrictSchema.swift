import JSON

/// A JSON schema as structured outputs take it: objects are closed, and what they cannot enforce is said in words.
///
/// The provider refuses limits of numbers, lengths and counts, patterns and further formats. Its own SDK moves them into the
/// description, if the model reads them (`transform_schema` of the `anthropic` package), and so does this.
///
/// Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs
enum StrictSchema {
    static func of(_ schema: JSON, named name: String) throws(CompletionRequest.Refused) -> [UInt8] {
        var writer = JSONWriter()
        try write(schema, named: name, depth: 0, to: &writer)
        return writer.bytes
    }

    /// No schema that anybody writes is deeper.
    private static let deepest = 64

    private static let formats: Set<String> = [
        "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
    ]

    private static func write(
        _ schema: JSON, named name: String, depth: Int, to writer: inout JSONWriter
    ) throws(CompletionRequest.Refused) {
        guard depth < deepest else { throw .wrong(name, "at most \(deepest) levels deep") }
        guard let members = schema.members else { throw .wrong(name, "an object") }
        var parts = JSONWriter()
        var unsupported: [String] = []
        for (key, value) in members where key != "description" {
            let path = "\(name).\(key)"
            switch key {
            case "$defs", "definitions", "properties":
                try write(map: value, key: key, named: path, depth: depth, to: &parts)
            case "items" where value.kind == .object:
                parts.key(key)
                try write(value, named: path, depth: depth + 1, to: &parts)
            case "anyOf", "allOf",
                "oneOf" where key != "oneOf" || schema["anyOf"] == nil:
                // Of several that may hold the first matters as much as that exactly one does.
                try write(
                    list: value, key: key == "oneOf" ? "anyOf" : key, named: path, depth: depth, to: &parts)
            case "additionalProperties": continue
            case "$ref", "type", "enum", "const", "title", "required": parts.field(key, raw: value.raw)
            case "minItems" where value.int == 0 || value.int == 1: parts.field(key, raw: value.raw)
            case "format" where value.string.map(formats.contains) == true: parts.field(key, raw: value.raw)
            case "$schema", "$id", "$comment": continue
            default: unsupported.append("\(key): \(String(decoding: value.raw, as: UTF8.self))")
            }
        }
        if isObject(schema) { parts.field("additionalProperties", false) }
        if let words = description(schema, unsupported) { parts.field("description", words) }
        let bytes = parts.bytes
        writer.object { $0.raw(bytes) }
    }

    private static func write(
        map: JSON, key: String, named name: String, depth: Int, to parts: inout JSONWriter
    ) throws(CompletionRequest.Refused) {
        guard let members = map.members else { throw .wrong(name, "an object") }
        var inner = JSONWriter()
        for (key, value) in members {
            inner.key(key)
            try write(value, named: "\(name).\(key)", depth: depth + 1, to: &inner)
        }
        let bytes = inner.bytes
        parts.key(key)
        parts.object { $0.raw(bytes) }
    }

    private static func write(
        list: JSON, key: String, named name: String, depth: Int, to parts: inout JSONWriter
    ) throws(CompletionRequest.Refused) {
        guard let elements = list.elements else { throw .wrong(name, "an array") }
        var schemas: [[UInt8]] = []
        for (index, value) in elements.enumerated() {
            var inner = JSONWriter()
            try write(value, named: "\(name)[\(index)]", depth: depth + 1, to: &inner)
            schemas.append(inner.bytes)
        }
        parts.key(key)
        parts.array { writer in
            for schema in schemas { writer.raw(schema) }
        }
    }

    private static func isObject(_ schema: JSON) -> Bool {
        if schema["$ref"] != nil { return false }
        let types = schema["type"]?.string.map { [$0] } ?? schema["type"]?.elements?.compactMap(\.string)
        return types?.contains("object") ?? (schema["properties"] != nil)
    }

    private static func description(_ schema: JSON, _ unsupported: [String]) -> String? {
        let own = schema["description"]?.string
        guard !unsupported.isEmpty else { return own }
        let words = "{" + unsupported.joined(separator: ", ") + "}"
        return own.map { $0 + "\n\n" + words } ?? words
    }
}
