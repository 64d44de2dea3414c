import JSON

extension CompletionRequest {
    /// Tools, and which of them may or must be called.
    struct Tools {
        private enum Choice {
            case auto, any, none
            case tool(String)
        }

        private var list: [(name: String, json: [UInt8])] = []
        private var choice: Choice?
        private let isSerial: Bool

        init(_ body: JSON) throws(Refused) {
            isSerial = try body.flag("parallel_tool_calls") == false
            for (index, tool) in (try body.list("tools") ?? []).enumerated() {
                list.append(try Self.tool(tool, named: "tools[\(index)]"))
            }
            guard let choice = body.given("tool_choice") else { return }
            try choose(choice)
        }

        /// Whether the answer must be a call.
        var isForced: Bool {
            switch choice {
            case .any, .tool: true
            case .auto, .none?, nil: false
            }
        }

        func write(to writer: inout JSONWriter) {
            guard !list.isEmpty else { return }
            writer.key("tools")
            writer.array { writer in
                for tool in list { writer.raw(tool.json) }
            }
            switch choice {
            case .none?: write("none", to: &writer)
            case .any: write("any", to: &writer)
            case .tool(let name): write("tool", name: name, to: &writer)
            case .auto: write("auto", to: &writer)
            case nil: if isSerial { write("auto", to: &writer) }
            }
        }

        private func write(_ type: String, name: String? = nil, to writer: inout JSONWriter) {
            writer.key("tool_choice")
            writer.object { writer in
                writer.field("type", type)
                if let name { writer.field("name", name) }
                if isSerial, type != "none" { writer.field("disable_parallel_tool_use", true) }
            }
        }

        private mutating func choose(_ choice: JSON) throws(Refused) {
            switch (choice.string ?? choice["type"]?.string, choice.kind) {
            case ("auto", .string): self.choice = .auto
            case ("none", .string): self.choice = Choice.none
            case ("required", .string): self.choice = .any
            case ("function", .object): self.choice = .tool(try Self.name(of: choice, named: "tool_choice"))
            case ("allowed_tools", .object): try allow(choice["allowed_tools"])
            default:
                throw .wrong("tool_choice", "auto, required, none, allowed_tools or a function by its name")
            }
            guard isForced, list.isEmpty else { return }
            throw Refused(parameter: "tool_choice", message: "tool_choice needs tools")
        }

        /// Some of the tools alone: the others are left out, as there is no other way to say it.
        private mutating func allow(_ allowed: JSON?) throws(Refused) {
            let path = "tool_choice.allowed_tools."
            var names: Set<String> = []
            for (index, tool) in (try allowed?.list("tools", in: path) ?? []).enumerated() {
                names.insert(try Self.name(of: tool, named: "\(path)tools[\(index)]"))
            }
            guard !names.isEmpty, names.isSubset(of: list.map(\.name)) else {
                throw .wrong(path + "tools", "some of the tools of this request")
            }
            list.removeAll { !names.contains($0.name) }
            switch allowed?["mode"]?.string {
            case "auto": choice = .auto
            case "required": choice = .any
            default: throw .wrong(path + "mode", "auto or required")
            }
        }

        private static func tool(_ tool: JSON, named name: String) throws(Refused) -> (String, [UInt8]) {
            let called = try self.name(of: tool, named: name)
            let path = name + ".function."
            let function = tool["function"] ?? tool
            let description = try function.text("description", in: path)
            let isStrict = try function.flag("strict", in: path) ?? false
            let schema = try function.object("parameters", in: path).map(Self.schema) ?? empty
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("name", called)
                if let description { writer.field("description", description) }
                writer.field("input_schema", raw: schema)
                if isStrict { writer.field("strict", true) }
                if let mark = tool.given("cache_control") { writer.field("cache_control", raw: mark.raw) }
            }
            return (called, writer.bytes)
        }

        private static let empty = Array(#"{"type":"object","properties":{}}"#.utf8)

        /// A schema without a type is refused there, and is an object's all the same.
        private static func schema(_ parameters: JSON) -> [UInt8] {
            parameters["type"] == nil
                ? parameters.replacing("type", with: Array(#""object""#.utf8)) : Array(parameters.raw)
        }

        private static func name(of function: JSON, named name: String) throws(Refused) -> String {
            guard function["type"]?.string == "function", let called = function["function"]?["name"]?.string
            else {
                throw Refused(
                    parameter: name,
                    message: "\(name) must be a function with a name: others have no counterpart")
            }
            return called
        }
    }
}
