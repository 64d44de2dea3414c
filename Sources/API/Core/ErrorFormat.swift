import Dialects
import HTTPServer
import JSON

/// In whose words an endpoint says no.
enum ErrorFormat: Sendable {
    /// `application/problem+json`.
    case renga
    /// The Messages API's.
    case messages
    /// Chat completions'.
    case completions
    /// Both of theirs, for a path that tells nothing of who asks.
    case both
    /// `{"error":"…"}`.
    case chat

    /// Those of the endpoint that a request asks for; of a path with several methods, those of the path.
    static func of(_ head: RequestHead) -> ErrorFormat {
        Endpoint.all.first { $0.match(head.path) != nil }?.errorFormat ?? UnservedPath(head.path).errorFormat
    }

    func response(
        status: Int, type: String, message: String, parameter: String? = nil, code: String? = nil,
        requestID: String?
    ) -> Response {
        let error = CompletionError(type: type, message: message, parameter: parameter, code: code)
        return .json(status: status) { writer in
            writer.object { writer in
                switch self {
                case .renga, .messages:
                    writer.messagesError(type, message)
                    writer.field("request_id", requestID)
                case .completions: error.write(to: &writer)
                case .both:
                    writer.field("type", "error")
                    error.write(to: &writer)
                    writer.field("request_id", requestID)
                case .chat:
                    writer.field("error", message)
                }
            }
        }
    }
}

extension JSONWriter {
    /// The members of an error as the Messages API has them, but for its `request_id`.
    mutating func messagesError(_ type: String, _ message: String) {
        field("type", "error")
        key("error")
        object { writer in
            writer.field("type", type)
            writer.field("message", message)
        }
    }
}

extension Problem {
    /// The detail, with the field at fault if it does not name it itself.
    var sentence: String {
        guard let field, !detail.contains(field) else { return detail }
        return "\(field): \(detail)"
    }
}

extension Problem.Kind {
    /// The Messages API's word for it.
    ///
    /// Source: https://platform.claude.com/docs/en/api/errors
    var providerType: String { ProviderError.type(of: status) }
}

/// The Messages API's types of errors.
enum ProviderError {
    static func type(of status: Int) -> String {
        switch status {
        case 401: "authentication_error"
        case 402: "billing_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 409: "conflict_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 504: "timeout_error"
        case 503, 529: "overloaded_error"
        case 500...: "api_error"
        default: "invalid_request_error"
        }
    }

    static let types: Set = [
        "invalid_request_error", "authentication_error", "billing_error", "permission_error",
        "not_found_error",
        "conflict_error", "request_too_large", "rate_limit_error", "timeout_error", "overloaded_error",
        "api_error",
    ]
}
