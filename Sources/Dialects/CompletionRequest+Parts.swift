import JSON

extension CompletionRequest {
    /// The parts of a message's content as blocks: texts, images, documents.
    ///
    /// Empty texts are left out: the Messages API refuses them.
    struct Parts {
        private(set) var blocks: [[UInt8]] = []

        init(_ content: JSON?, named name: String, textsOnly: Bool = false) throws(Refused) {
            if let words = content?.string {
                if !words.isEmpty { blocks.append(Self.text(words)) }
                return
            }
            guard let parts = content?.elements else {
                throw .wrong(name, "a string or an array of parts")
            }
            for (index, part) in parts.enumerated() {
                let block = try Self.block(part, named: "\(name)[\(index)]", textsOnly: textsOnly)
                if let block { blocks.append(block) }
            }
        }

        static func text(_ words: String, of part: JSON? = nil) -> [UInt8] {
            block("text", of: part) { $0.field("text", words) }
        }

        private static func block(
            _ part: JSON, named name: String, textsOnly: Bool
        ) throws(Refused) -> [UInt8]? {
            switch part["type"]?.string {
            case let kind? where kind == "text" || kind == "refusal":
                guard let words = part[kind]?.string else { throw .wrong("\(name).\(kind)", "a string") }
                return words.isEmpty ? nil : text(words, of: part)
            case "image_url" where !textsOnly:
                guard let url = part["image_url"]?["url"]?.string else {
                    throw .wrong(name + ".image_url.url", "a string")
                }
                let source = try source(of: url, named: name + ".image_url.url")
                return block("image", of: part) { $0.field("source", raw: source) }
            case "file" where !textsOnly: return try document(part, named: name)
            case let kind:
                throw Refused(
                    parameter: name,
                    message:
                        "\(name) is \(kind.map { "of type \($0)" } ?? "no part"), which has no counterpart here"
                )
            }
        }

        private static func document(_ part: JSON, named name: String) throws(Refused) -> [UInt8] {
            guard let data = part["file"]?["file_data"]?.string else {
                throw Refused(
                    parameter: name,
                    message: "\(name).file needs file_data: files by their id are another provider's")
            }
            let source = try source(of: data, named: name + ".file.file_data")
            let title = try part["file"]?.text("filename", in: name + ".file.")
            return block("document", of: part) { writer in
                writer.field("source", raw: source)
                if let title, !title.isEmpty { writer.field("title", title) }
            }
        }

        /// A breakpoint of the prompt cache may be in a part, as several clients send it.
        private static func block(
            _ type: String, of part: JSON?, _ members: (inout JSONWriter) -> Void
        ) -> [UInt8] {
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("type", type)
                members(&writer)
                if let mark = part?.given("cache_control") { writer.field("cache_control", raw: mark.raw) }
            }
            return writer.bytes
        }

        /// `data:TYPE;base64,…` as bytes, `http` and `https` as an address.
        private static func source(of url: String, named name: String) throws(Refused) -> [UInt8] {
            var writer = JSONWriter()
            guard url.hasPrefix("data:") else {
                guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
                    throw .wrong(name, "a data URL in base64, or an address")
                }
                writer.object { writer in
                    writer.field("type", "url")
                    writer.field("url", url)
                }
                return writer.bytes
            }
            guard let comma = url.utf8.firstIndex(of: UInt8(ascii: ",")), url[..<comma].hasSuffix(";base64")
            else { throw .wrong(name, "a data URL in base64, or an address") }
            let type = url[..<comma].dropFirst("data:".count).prefix { $0 != ";" }
            writer.object { writer in
                writer.field("type", "base64")
                // Browsers and clients say both; one of them is registered, and it alone is taken there.
                writer.field("media_type", type == "image/jpg" ? "image/jpeg" : String(type))
                writer.field("data", String(url[url.utf8.index(after: comma)...]))
            }
            return writer.bytes
        }
    }
}
