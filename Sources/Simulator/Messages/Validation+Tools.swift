import JSON

/// Tools and the shapes of answers.
extension Validation {
    static func tools(_ body: JSON) throws(APIError) -> [MessagesCall.Tool] {
        guard let value = body["tools"], !value.isNull else { return [] }
        guard let elements = value.elements else { throw .invalid("tools: Input should be a valid list") }
        var names: Set<String> = []
        var tools: [MessagesCall.Tool] = []
        for (index, element) in elements.enumerated() {
            let tool = try tool(element, "tools.\(index)")
            guard names.insert(tool.name).inserted else {
                throw .invalid("tools: Tool names must be unique.")
            }
            tools.append(tool)
        }
        return tools
    }

    static func toolChoice(
        _ body: JSON, _ tools: [MessagesCall.Tool]
    ) throws(APIError) -> MessagesCall.ToolChoice {
        guard let value = body["tool_choice"], !value.isNull else { return .auto }
        guard !tools.isEmpty else {
            throw .invalid("tool_choice: may only be specified while providing tools")
        }
        switch value["type"]?.string {
        case "auto": return .auto
        case "any": return .any
        case "none": return .none
        case "tool":
            guard let name = value["name"]?.string else {
                throw .invalid("tool_choice.tool.name: Field required")
            }
            guard tools.contains(where: { $0.name == name }) else {
                throw .invalid("Tool '\(name)' not found in provided tools")
            }
            return .tool(name)
        default: throw .invalid("tool_choice: Input tag is not one of 'auto', 'any', 'tool', 'none'")
        }
    }

    /// The schema of structured outputs, in its present place or the older beta's.
    static func schema(_ body: JSON, takesLimits: Bool = false) throws(APIError) -> JSON? {
        guard let format = body["output_config"]?["format"] ?? body["output_format"], !format.isNull else {
            return nil
        }
        guard format["type"]?.string == "json_schema", let schema = format["schema"], schema.kind == .object
        else {
            throw .invalid("output_config.format: expected type 'json_schema' and a schema")
        }
        try closed(schema, "output_config.format.schema", takesLimits)
        return schema
    }

    private static func tool(_ tool: JSON, _ path: String) throws(APIError) -> MessagesCall.Tool {
        guard let name = tool["name"]?.string else { throw .invalid("\(path).name: Field required") }
        guard (1...128).contains(name.utf8.count), name.isPlain else {
            throw .invalid("\(path).name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
        }
        if let type = tool["type"]?.string, type != "custom" {
            return MessagesCall.Tool(name: name, schema: nil)
        }
        guard let schema = tool["input_schema"] else {
            throw .invalid("\(path).input_schema: Field required")
        }
        guard schema["type"]?.string == "object" else {
            throw .invalid("\(path).input_schema.type: Input should be 'object'")
        }
        return MessagesCall.Tool(name: name, schema: schema)
    }

    /// Keywords that structured outputs cannot keep.
    private static let unsupported: Set<String> = [
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
        "maxItems", "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties",
        "patternProperties", "propertyNames", "not", "if", "oneOf",
    ]

    /// Structured outputs want every object closed, and no limits.
    private static func closed(_ schema: JSON, _ path: String, _ takesLimits: Bool) throws(APIError) {
        for (name, value) in schema.members ?? [] where !takesLimits {
            let isKept = name != "minItems" || value.int == 0 || value.int == 1
            guard !unsupported.contains(name), isKept else {
                throw .invalid(
                    "\(path): For '\(schema["type"]?.string ?? "any")' type, property '\(name)' is not supported"
                )
            }
        }
        if schema["type"]?.string == "object", schema["additionalProperties"]?.bool != false {
            throw .invalid(
                "\(path): For 'object' type, 'additionalProperties' must be explicitly set to false")
        }
        for (name, property) in schema["properties"]?.members ?? [] {
            try closed(property, "\(path).properties.\(name)", takesLimits)
        }
        if let items = schema["items"] { try closed(items, "\(path).items", takesLimits) }
        for keyword in ["anyOf", "allOf"] {
            for option in schema[keyword]?.elements ?? [] {
                try closed(option, "\(path).\(keyword)", takesLimits)
            }
        }
        for keyword in ["$defs", "definitions"] {
            for (name, option) in schema[keyword]?.members ?? [] {
                try closed(option, "\(path).\(keyword).\(name)", takesLimits)
            }
        }
    }
}

extension String {
    /// Whether it has no other characters than the names of tools and rows may have.
    var isPlain: Bool {
        utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
