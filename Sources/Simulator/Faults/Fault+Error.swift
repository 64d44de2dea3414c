import HTTPServer

/// Faults as answers, for those that are answers.
extension Fault {
    /// The error that the caller sees, at a moment in milliseconds UTC.
    func error(in dialect: Dialect, at now: Int64) -> APIError {
        var error = basic(in: dialect, at: now)
        if let message { error.message = message }
        switch retryAfter {
        case "none": error.headers["retry-after"] = nil
        case let value?: error.headers["retry-after"] = value
        case nil: break
        }
        error.headers["retry-after-ms"] = retryAfterMilliseconds
        error.headers["x-should-retry"] = shouldRetry
        return error
    }

    /// An error as a proxy in between shows it.
    static func page(_ status: Int) -> Response {
        let text =
            "<html>\r\n<head><title>\(status)</title></head>\r\n<body><center><h1>\(status)</h1></center></body>\r\n</html>"
        return Response(status: status, contentType: "text/html", bytes: Array(text.utf8))
    }

    private func basic(in dialect: Dialect, at now: Int64) -> APIError {
        switch kind {
        case .spendCap:
            var error = APIError(status: 429, message: "This request would exceed your monthly spend limit.")
            error.code = dialect.isChat ? "insufficient_quota" : "enforced_spend_limit_reached"
            return error
        case .userSpendCap:
            return .invalid(
                "You have reached your specified API usage limits. You will regain access on "
                    + "\(rfc3339(milliseconds: now + 86_400_000).prefix(10)) at 00:00 UTC."
            )
        case .credit:
            return .invalid(
                "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
                    + "purchase credits.")
        case .ramp:
            var error = APIError(
                status: 429, message: "Your usage grew too fast. Please ramp up more slowly.")
            error.code = "ramp_limit_exceeded"
            error.headers["retry-after"] = "5"
            return error
        case .status(let status):
            var error = APIError(status: status)
            if status == 429 { error.headers["retry-after"] = "1" }
            return error
        default: return APIError(status: 529)
        }
    }
}
