import JSON

/// A line of the results: what became of a line of the input.
enum ResultLine {
    /// Members of the job that are passed on as they are.
    private static let members = [
        "custom_id", "id", "state", "text", "response", "error", "usage", "cost_usd", "saved_usd", "cached",
        "model", "tags",
        "metadata", "simulated",
    ]

    static func text(_ job: JSON, line: Int32) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("line", Int(line))
            for name in members {
                if let value = job[name] { writer.field(name, raw: value.raw) }
            }
        }
        writer.newline()
        return writer.bytes
    }

    /// A line that never became a job, with what the server said of it.
    static func refused(_ error: [UInt8]?, line: Int32) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("line", Int(line))
            writer.field("id", String?.none)
            writer.field("state", "invalid")
            writer.field("error", raw: error)
        }
        writer.newline()
        return writer.bytes
    }
}

/// Cuts pieces into lines as they come.
struct LineBuffer {
    private var partial: [UInt8] = []

    init() {}

    /// The lines that this piece completes, without their ends.
    mutating func append(_ piece: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = piece[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(partial + rest[..<end])
            partial = []
            rest = rest[(end + 1)...]
        }
        partial += rest
        return lines
    }
}
