import Crypto
import JSON

/// What the command line fills in for lines that leave it out.
struct LineDefaults: Sendable {
    var queue: String?
    var tags: [String] = []
    var model: String?
    var system: String?
    var maxTokens: Int?
    /// As the server reads it: a time, or a duration from now on.
    var deadline: String?
    var processing: String?

    /// One form for the same defaults: custom_ids and batch names are made from it.
    var canonical: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("queue", queue)
            writer.key("tags")
            writer.array { writer in tags.forEach { writer.string($0) } }
            writer.field("model", model)
            writer.field("system", system)
            writer.field("max_tokens", maxTokens)
            // Without them, the same command must give the same batch name as before.
            if let deadline { writer.field("deadline", deadline) }
            if let processing { writer.field("processing", processing) }
        }
        return writer.bytes
    }
}

extension LineDefaults {
    /// The batch of a file that names none: the file's name and eight digits of its defaults' hash, so that the same
    /// command finds it again.
    func batchName(file: String) -> String {
        let name = file == "-" ? "stdin" : file.split(separator: "/").last.map(String.init) ?? "jobs"
        let clean = Text.oneLine(name, limit: 60)
        // Letters may take up to four bytes each, and a name 128.
        let short = clean.utf8.count <= 110 ? clean : String(clean.prefix(25))
        return "\(short)-\(SHA256.hash(canonical).prefix(4).map(\.self).hex)"
    }
}
