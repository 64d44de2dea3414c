import JSON

/// Reads a schema, every keyword or none: what a check does not understand it must not seem to check.
struct SchemaReader {
    private static let notes: Set<String> = [
        "title", "description", "default", "examples", "$schema", "$id", "$comment", "$defs", "definitions",
        "deprecated", "readOnly", "writeOnly",
    ]
    private static let types = ["object", "array", "string", "integer", "number", "boolean", "null"]

    let root: JSON
    let name: String
    private(set) var nodes: [AnswerSchema.Node] = []
    /// Nil while it is being read: a schema that meets it then refers to itself.
    private var references: [String: Int?] = [:]

    init(root: JSON, name: String) {
        self.root = root
        self.name = name
    }

    mutating func node(_ json: JSON, at path: String) throws(CheckError) -> Int {
        if let reference = json["$ref"], json.count == 1 {
            return try self.reference(reference, at: path + ".$ref")
        }
        var node = AnswerSchema.Node()
        if let flag = json.bool {
            node.refusesAll = !flag
        } else {
            guard let members = json.members else {
                throw CheckError(path, "must be a JSON Schema: an object")
            }
            for (keyword, value) in members {
                try read(keyword, value, into: &node, at: path + "." + keyword)
            }
        }
        guard nodes.count < AnswerSchema.nodeLimit else {
            throw CheckError(path, "is one schema too many: at most \(AnswerSchema.nodeLimit) in one")
        }
        nodes.append(node)
        return nodes.count - 1
    }

    private mutating func read(
        _ keyword: String, _ value: JSON, into node: inout AnswerSchema.Node, at path: String
    ) throws(CheckError) {
        if let bound = AnswerSchema.Bound(rawValue: keyword) {
            guard let limit = value.double, !bound.isCount || limit >= 0, bound != .multipleOf || limit > 0
            else {
                let range = bound == .multipleOf ? " above 0" : bound.isCount ? " from 0" : ""
                throw CheckError(path, "must be a number" + range)
            }
            node.bounds.append((bound, limit))
            return
        }
        switch keyword {
        case "type": node.types = try typeNames(value, at: path)
        case "enum": node.choices = try list(value, at: path)
        case "const": node.choices = [value]
        case "properties": node.properties = try properties(value, at: path)
        case "required": node.required = try names(value, at: path)
        case "additionalProperties":
            node.refusesOthers = value.bool == false
            if value.bool == nil { node.others = try self.node(value, at: path) }
        case "items": node.items = try self.node(value, at: path)
        case "anyOf": node.anyOf = try branches(value, at: path)
        case "oneOf": node.oneOf = try branches(value, at: path)
        case "allOf": node.parts += try branches(value, at: path)
        case "$ref": node.parts.append(try reference(value, at: path))
        case "pattern": node.pattern = try pattern(value, at: path)
        case "format": node.format = try SchemaFormats.find(value, at: path)
        case _ where Self.notes.contains(keyword): break
        default: throw CheckError(path, "is a keyword that a check does not know")
        }
    }

    private func typeNames(_ value: JSON, at path: String) throws(CheckError) -> [String] {
        let names = value.string.map { [$0] } ?? value.elements?.compactMap(\.string) ?? []
        guard !names.isEmpty, names.count == value.elements?.count ?? 1, names.allSatisfy(Self.types.contains)
        else { throw CheckError(path, "must be one or more of " + Self.types.joined(separator: ", ")) }
        return names
    }

    private func list(_ value: JSON, at path: String) throws(CheckError) -> [JSON] {
        guard let elements = value.elements else { throw CheckError(path, "must be an array") }
        guard !elements.isEmpty else { throw CheckError(path, "must not be empty") }
        return elements
    }

    private func names(_ value: JSON, at path: String) throws(CheckError) -> [String] {
        let names = value.elements?.compactMap(\.string) ?? []
        guard names.count == value.elements?.count else {
            throw CheckError(path, "must be an array of strings")
        }
        return names
    }

    private mutating func properties(
        _ value: JSON, at path: String
    ) throws(CheckError) -> [(name: String, node: Int)] {
        guard let members = value.members else { throw CheckError(path, "must be an object of schemas") }
        var properties: [(name: String, node: Int)] = []
        for (name, schema) in members { properties.append((name, try node(schema, at: path + "." + name))) }
        return properties
    }

    private mutating func branches(_ value: JSON, at path: String) throws(CheckError) -> [Int] {
        var branches: [Int] = []
        for (index, schema) in try list(value, at: path).enumerated() {
            branches.append(try node(schema, at: "\(path)[\(index)]"))
        }
        return branches
    }

    private func pattern(_ value: JSON, at path: String) throws(CheckError) -> Pattern {
        guard let source = value.string else { throw CheckError(path, "must be a regular expression") }
        do {
            return try Pattern(source)
        } catch {
            throw CheckError(path, "cannot be read: \(error.message)")
        }
    }

    private mutating func reference(_ value: JSON, at path: String) throws(CheckError) -> Int {
        guard let text = value.string, text.hasPrefix("#"),
            let target = JSONPointer(String(text.dropFirst()))?.value(in: root)
        else { throw CheckError(path, "must refer to a schema within this one, such as “#/$defs/name”") }
        if let known = references[text] {
            guard let known else { throw CheckError(path, "comes back to itself: recursion is not allowed") }
            return known
        }
        references.updateValue(nil, forKey: text)
        let index = try node(target, at: name + text.dropFirst().replacing("/", with: "."))
        references.updateValue(index, forKey: text)
        return index
    }
}
