import JSON

/// What a user's message may hold: text, images, documents.
extension ChatRequest {
    func write(part: JSON, _ path: String, _ list: inout JSONWriter) throws {
        switch part["type"]?.string {
        case "text": Self.write(text: part["text"]?.string ?? "", &list)
        case "image": try write(image: part["source"], "\(path).source", &list)
        case "document": try write(document: part, path, &list)
        default: throw Self.unknown(part, path)
        }
    }

    private func write(image source: JSON?, _ path: String, _ list: inout JSONWriter) throws {
        guard let address = source.flatMap({ Self.data($0) ?? Self.address($0) }) else {
            throw Unmappable(path: path, reason: "an image must stand in the request or behind a URL")
        }
        list.object { json in
            json.field("type", "image_url")
            json.key("image_url")
            json.object { $0.field("url", address) }
        }
    }

    /// A PDF is a file with its bytes; a plain text is a text.
    private func write(document: JSON, _ path: String, _ list: inout JSONWriter) throws {
        try document.refuseMembers(
            except: ["type", "source", "title", "cache_control", "citations"], at: path)
        guard document["citations"]?["enabled"]?.bool != true else {
            throw Unmappable(path: "\(path).citations", reason: "a chat cites nothing")
        }
        let source = document["source"]
        let title = document["title"]?.string
        if source?["type"]?.string == "text", let text = source?["data"]?.string {
            return Self.write(text: title.map { "\($0)\n\n\(text)" } ?? text, &list)
        }
        guard let data = source.flatMap(Self.data) else {
            throw Unmappable(path: "\(path).source", reason: "a document must stand in the request")
        }
        list.object { json in
            json.field("type", "file")
            json.key("file")
            json.object { json in
                json.field("filename", title ?? "document.pdf")
                json.field("file_data", data)
            }
        }
    }

    private static func write(text: String, _ list: inout JSONWriter) {
        list.object { json in
            json.field("type", "text")
            json.field("text", text)
        }
    }

    private static func data(_ source: JSON) -> String? {
        guard source["type"]?.string == "base64", let type = source["media_type"]?.string,
            let data = source["data"]?.string
        else { return nil }
        return "data:\(type);base64,\(data)"
    }

    private static func address(_ source: JSON) -> String? {
        source["type"]?.string == "url" ? source["url"]?.string : nil
    }
}
