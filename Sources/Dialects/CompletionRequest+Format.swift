import JSON

extension CompletionRequest {
    /// What form the answer shall have: a schema that is kept, or JSON of any form, which only words can ask for.
    struct Format {
        /// What is said to the model; nil if nothing is.
        private(set) var instruction: String?
        private var schema: [UInt8]?

        init(_ body: JSON) throws(Refused) {
            guard let format = try body.object("response_format") else { return }
            switch format["type"]?.string {
            case "text": break
            case "json_object":
                instruction =
                    "Answer with one JSON object and nothing else: no explanation, no code fences."
            case "json_schema":
                guard let schema = format["json_schema"]?["schema"], schema.kind == .object else {
                    throw Refused(
                        parameter: "response_format",
                        message: "response_format.json_schema needs a schema, an object")
                }
                self.schema = try StrictSchema.of(schema, named: "response_format.json_schema.schema")
            default:
                throw Refused(
                    parameter: "response_format",
                    message: "response_format must be of type text, json_object or json_schema")
            }
        }

        func write(to output: inout JSONWriter) {
            guard let schema else { return }
            output.key("format")
            output.object { writer in
                writer.field("type", "json_schema")
                writer.field("schema", raw: schema)
            }
        }
    }
}
