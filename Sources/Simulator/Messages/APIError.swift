import JSON

/// An error answer in the provider's shape.
struct APIError: Error, Sendable, Equatable {
    var status: Int
    var type: String
    var message: String
    /// `error.details.error_code`, which newer clients read.
    var code: String?
    var headers: [String: String] = [:]

    init(_ status: Int, _ type: String, _ message: String) {
        self.status = status
        self.type = type
        self.message = message
    }

    /// An error of the type that belongs to the status.
    init(status: Int, message: String? = nil) {
        let (type, text) = Self.usual(status)
        self.init(status, type, message ?? text)
    }

    static func invalid(_ message: String) -> APIError { APIError(400, "invalid_request_error", message) }

    func body(requestID: String?) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("type", "error")
            json.key("error")
            json.object { error in
                error.field("type", type)
                error.field("message", message)
                if let code {
                    error.key("details")
                    error.object { $0.field("error_code", code) }
                }
            }
            json.field("request_id", requestID)
        }
        return json.bytes
    }

    private static func usual(_ status: Int) -> (type: String, text: String) {
        switch status {
        case 401: ("authentication_error", "invalid x-api-key")
        case 402: ("billing_error", "Your credit balance is too low to access the Anthropic API.")
        case 403: ("permission_error", "Your API key does not have permission to use the specified resource.")
        case 404: ("not_found_error", "Not found")
        case 405: ("invalid_request_error", "Method Not Allowed")
        case 408: ("timeout_error", "The request did not arrive in time")
        case 409: ("conflict_error", "Conflict")
        case 413: ("request_too_large", "Request exceeds the maximum size")
        case 429: ("rate_limit_error", "This request would exceed your organization's rate limit.")
        case 504: ("timeout_error", "Request timed out")
        case 529: ("overloaded_error", "Overloaded")
        case 503: ("overloaded_error", "Service temporarily unavailable")
        case 500...: ("api_error", "Internal server error")
        default: ("invalid_request_error", "Invalid request")
        }
    }
}
