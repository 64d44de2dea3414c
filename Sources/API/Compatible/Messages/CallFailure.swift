import HTTPServer
import Jobs

/// A job that ended without an answer, as its caller is told.
struct CallFailure: Error {
    var status: Int
    var type: String
    var message: String
    var requestID: String?
    var isWorthRetrying: Bool
    var job: JobID?

    init(_ job: Job) {
        self.init(job.error ?? .unknown, job: job.id)
        // An SDK that asks again by itself would pay for the same once more.
        if job.cost > .zero { isWorthRetrying = false }
    }

    init(_ error: JobError, job: JobID?) {
        status = Self.status(of: error)
        let isTheirs = ProviderError.types.contains(error.type) && !error.hasAbsurdStatus
        type = isTheirs ? error.type : ProviderError.type(of: status)
        message = error.message
        requestID = error.requestID
        // Who comes back after a deadline that they set themselves pays for the same once more.
        isWorthRetrying = error.retryable && error.type != JobError.deadlineExceeded.type
        self.job = job
    }

    /// The provider's own status if it gave one that callers can be given; a gateway's if that makes no sense.
    private static func status(of error: JobError) -> Int {
        if error.hasAbsurdStatus { return 502 }
        if let status = error.status, status >= 400 { return status }
        switch error.type {
        case "deadline_exceeded", "timeout_error": return 504
        case "never_affordable", "max_cost_reached", "billing_error": return 402
        case "invalid_request_error", Breakage.Kind.unsendable.errorType: return 400
        case "authentication_error": return 401
        case "permission_error": return 403
        case "not_found_error": return 404
        case "conflict_error", JobError.cancelled.type, JobError.inReview.type: return 409
        case "request_too_large": return 413
        case "rate_limit_error": return 429
        case "api_error": return 500
        case "overloaded_error": return 529
        default: return 502
        }
    }

    func response(_ format: ErrorFormat, requestID own: String) -> Response {
        var response = format.response(
            status: status, type: type, message: message, requestID: requestID ?? own)
        response.headers["request-id"] = requestID ?? own
        if let job { response.headers["x-renga-job"] = job.description }
        if !isWorthRetrying { response.headers["x-should-retry"] = "false" }
        return response
    }
}

extension JobError {
    /// Whether the provider's status is neither a success nor an error: 302, 999.
    fileprivate var hasAbsurdStatus: Bool {
        status.map { !(200..<300).contains($0) && !(400..<600).contains($0) } ?? false
    }

    static let cancelled = JobError(
        type: "cancelled", message: "the job was cancelled before it was done", retryable: false)
    static let inReview = JobError(
        type: "in_review", message: "the answer did not pass its check and waits for a person's decision",
        retryable: false)
    static let unknown = JobError(type: "api_error", message: "the job failed", retryable: false)
}
