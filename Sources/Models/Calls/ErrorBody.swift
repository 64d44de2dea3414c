import JSON
import Jobs

/// The provider's error object: `{"type":"error","error":{"type","message","details"},"request_id"}`.
struct ErrorBody {
    var type: String?
    var code: String?
    var message: String
    var requestID: String?

    /// An error answer is read up to here: a CDN's page says what it has to say in its first lines.
    static let limit = 64 << 10

    /// Nil if the bytes are not that object.
    init?(_ body: [UInt8]) {
        guard let parsed = try? JSON.parse(body), let error = parsed["error"], error.kind == .object else {
            return nil
        }
        self.init(error)
        requestID = parsed["request_id"]?.string.map(Excerpt.name)
    }

    /// Reads what is under `error`.
    init(_ error: JSON) {
        let name = error["type"]?.string.map(Excerpt.name) ?? ""
        type = name.isEmpty ? nil : name
        code = error["details"]?["error_code"]?.string.map(Excerpt.name)
        message = excerpt(error["message"]?.string ?? "")
    }
}

extension Refusal {
    /// Reads an error answer; a body that is not the provider's JSON leaves `type` nil and its text as the
    /// message.
    init(_ body: [UInt8], status: Int, retryAfter: RetryAfter?) {
        let read = ErrorBody(body).map { Refusal($0, status: status) }
        self.init(read, orTextOf: body, status: status, retryAfter: retryAfter)
    }

    /// What was read of an error answer; else its text is the message.
    init(_ read: Refusal?, orTextOf body: [UInt8], status: Int, retryAfter: RetryAfter?) {
        if let read {
            self = read
        } else {
            let text = String(decoding: body.prefix(ErrorBody.limit), as: UTF8.self)
            self.init(status: status, type: nil, message: excerpt(withoutTags(text)))
        }
        self.retryAfter = retryAfter
        if message.isEmpty { message = "HTTP \(status)" }
    }

    init(_ error: ErrorBody, status: Int, usage: Usage? = nil, answerBegan: Bool = false) {
        self.init(
            status: status, type: error.type, code: error.code,
            message: error.message.isEmpty ? error.type ?? "an error without words" : error.message,
            usage: usage, answerBegan: answerBegan)
    }
}

/// One line of at most 500 letters.
func excerpt(_ text: String) -> String { Excerpt.line(text) }

/// The text of an HTML page, without its scripts and styles; any other text as it is.
func withoutTags(_ text: String) -> String {
    guard text.contains("<") else { return text }
    var output = ""
    var rest = text[...]
    while let start = rest.firstIndex(of: "<") {
        output += rest[..<start]
        output += " "
        let tag = rest[start...].prefix(7).lowercased()
        let close = tag == "<script" ? "</script" : tag.hasPrefix("<style") ? "</style" : nil
        if let close { rest = rest[start...].skipping(to: close) } else { rest = rest[start...] }
        guard let end = rest.firstIndex(of: ">") else { return output }
        rest = rest[rest.index(after: end)...]
    }
    return output + rest
}

extension Substring {
    fileprivate func skipping(to marker: String) -> Substring {
        var rest = self.dropFirst()
        while let start = rest.firstIndex(of: "<") {
            rest = rest[start...]
            if rest.prefix(marker.count).lowercased() == marker { return rest }
            rest = rest.dropFirst()
        }
        return rest.suffix(0)
    }
}
