package import JSON
import Jobs

/// What went wrong, in the shape of chat completions.
///
/// The type is the provider's own; clients of the dialect look at the code.
package struct CompletionError: Sendable {
    private let type: String
    private let message: String
    private let parameter: String?
    private let ownCode: String?

    /// Without a `code` the type tells it.
    package init(type: String, message: String, parameter: String? = nil, code: String? = nil) {
        ownCode = code
        self.type = type
        self.message = message
        self.parameter = parameter
    }

    /// Nil if the dialect has no word for it that clients act on.
    ///
    /// Source: https://platform.openai.com/docs/guides/error-codes
    private var code: String? {
        if let ownCode { return ownCode }
        return switch type {
        case "authentication_error": "invalid_api_key"
        case "billing_error": "insufficient_quota"
        case "rate_limit_error": "rate_limit_exceeded"
        case "not_found_error" where message.contains("model"): "model_not_found"
        case "invalid_request_error" where JobError.saysPromptIsTooLong(message): "context_length_exceeded"
        default: nil
        }
    }

    /// Its one member, `error`, into an object.
    package func write(to writer: inout JSONWriter) {
        writer.key("error")
        writer.object { writer in
            writer.field("message", message)
            writer.field("type", type)
            writer.field("param", parameter)
            writer.field("code", code)
        }
    }
}
