import JSON
import Jobs

/// An error as those who speak the chat dialect put it: each has a form of its own.
///
/// OpenAI: `{"error":{"message","type","param","code"}}`, in a list at one relay; a bare text under `error`;
/// `{"object":"error",…}` of older vLLM; `{"detail":…}` of Python servers; `{"message":…}` of gateways.
struct ChatError {
    var message: String
    var type: String?
    var code: String?
    /// The HTTP status that the body names as its code, as relays do after a 200.
    var status: Int?

    /// Nil if the object tells of no error; `inAnswer`, only the forms that cannot be meant otherwise count.
    init?(_ object: JSON, inAnswer: Bool = true) {
        let object = object[0] ?? object
        if let error = object["error"], !error.isNull {
            self.init(members: error)
        } else if object["object"]?.string == "error" {
            self.init(members: object)
        } else if !inAnswer, object["message"]?.string != nil {
            self.init(members: object)
        } else if !inAnswer, let detail = object["detail"] ?? object["errors"], !detail.isNull {
            self.init(members: detail)
        } else {
            return nil
        }
    }

    private init(members error: JSON) {
        let words = error.kind == .object ? error["message"]?.string : error.string
        let said = excerpt(words ?? "")
        message = said.isEmpty ? excerpt(String(decoding: error.raw.prefix(2000), as: UTF8.self)) : said
        type = error["type"]?.string.map(Excerpt.name)
        code = error["code"]?.string.map(Excerpt.name)
        status = error["code"]?.int.flatMap { (400...599).contains($0) ? $0 : nil }
    }

    /// What the decision goes by: the type that the Messages API gives this kind of error.
    func kind(status given: Int) -> String {
        let status = given == 200 ? status ?? Self.status(of: code ?? type ?? "") : given
        if status == 529 || (status >= 500 && message.lowercased().contains("overload")) {
            return "overloaded_error"
        }
        return switch status {
        case 401: "authentication_error"
        case 402: "billing_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 408, 504: "timeout_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 500...: "api_error"
        default: "invalid_request_error"
        }
    }

    /// The status of an error that comes after a 200 and names none: its words tell.
    private static func status(of word: String) -> Int {
        switch word {
        case "invalid_request_error", "context_length_exceeded", "content_filter", "BadRequestError": 400
        case "authentication_error", "invalid_api_key": 401
        case "insufficient_quota", "rate_limit_exceeded", "rate_limit_error", "requests", "tokens": 429
        case "model_not_found", "not_found_error", "NotFoundError": 404
        case "overloaded_error", "overloaded": 529
        default: 500
        }
    }
}

extension Refusal {
    /// Reads an error answer of the chat dialect; of what is no JSON the text is the message, and `type` is nil.
    init(chat body: [UInt8], status: Int, retryAfter: RetryAfter?) {
        let error = (try? JSON.parse(body)).flatMap { ChatError($0, inAnswer: false) }
        self.init(
            error.map { Refusal($0, status: status) }, orTextOf: body, status: status, retryAfter: retryAfter)
    }

    init(_ error: ChatError, status: Int, usage: Usage? = nil, answerBegan: Bool = false) {
        let isNamed = error.code != "context_length_exceeded" || error.message.contains("context")
        self.init(
            status: status, type: error.kind(status: status), code: error.code ?? error.type,
            message: isNamed ? error.message : "context_length_exceeded: " + error.message, usage: usage,
            answerBegan: answerBegan)
    }
}
