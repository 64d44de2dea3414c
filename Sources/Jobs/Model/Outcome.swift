import JSON

/// What came of one call, as the provider's wire format was read; no decision in it.
package struct Outcome: Sendable {
    /// Boxed: tasks that wait for a call have room for its outcome, many times over.
    package indirect enum Result: Sendable {
        /// A whole, well-formed answer.
        case answer(Answer)
        /// The provider said no, in its own words.
        case refusal(Refusal)
        /// No answer that can be read: the connection failed, timed out, was cut, or carried nonsense.
        case broken(Breakage)
        /// The caller gave the call up: drain, lost lease, cancellation or deadline.
        case abandoned(sent: Bool)
    }

    package var result: Result
    /// The provider's `request-id`.
    package var requestID: String?
    package var limits: LimitReport?
    /// Another endpoint of the service is well: a broken connection says nothing of the route.
    package var routeIsWell = false

    package init(_ result: Result, requestID: String? = nil, limits: LimitReport? = nil) {
        self.result = result
        self.requestID = requestID.map(Excerpt.name)
        self.limits = limits
    }
}

/// A Message as the provider sent it.
package struct Answer: Sendable {
    /// The Message's JSON, verbatim (or put together from a stream).
    package var body: [UInt8]
    /// The exact model that answered.
    package var model: String
    package var usage: Usage
    package var stopReason: String

    package init(body: [UInt8], model: String, usage: Usage, stopReason: String) {
        self.body = body
        self.model = Excerpt.name(model)
        self.usage = usage
        self.stopReason = Excerpt.name(stopReason)
    }

    /// A refusal before any output is not billed.
    package var isBilled: Bool {
        guard stopReason == "refusal", let message = try? JSON.parse(body) else { return true }
        return message["content"]?.elements?.isEmpty == false
    }

    /// Whether the answer may be served to others: only one that ended in a way that is known to be whole.
    package var isCacheable: Bool {
        switch stopReason {
        case "end_turn", "stop_sequence", "tool_use": true
        default: false
        }
    }
}

/// An error answer.
package struct Refusal: Hashable, Sendable {
    /// The HTTP status; 200 for an `error` event inside a stream.
    package var status: Int
    /// `error.type`, or nil if the body was not the provider's JSON (an HTML page of a CDN).
    package var type: String?
    /// `error.details.error_code`.
    package var code: String?
    /// For people; cut to a bounded length.
    package var message: String
    package var retryAfter: RetryAfter?
    /// What was used and billed before a stream broke, if the provider said.
    package var usage: Usage?
    /// Whether an answer had begun before it, after a 200.
    ///
    /// If none had, it is the same refusal as one with a status of its own, and no more billed than that.
    package var answerBegan: Bool

    /// Its texts are cut to a bounded length.
    package init(
        status: Int, type: String?, code: String? = nil, message: String, retryAfter: RetryAfter? = nil,
        usage: Usage? = nil, answerBegan: Bool = false
    ) {
        self.status = status
        self.type = type.map(Excerpt.name)
        self.code = code.map(Excerpt.name)
        self.message = Excerpt.line(message)
        self.retryAfter = retryAfter
        self.usage = usage
        self.answerBegan = answerBegan
    }
}

/// `retry-after` in any of its forms, as a delay from the answer's arrival, of a day at most.
package struct RetryAfter: Hashable, Sendable {
    package let delay: Milliseconds

    /// No provider means more than a day; how much of it is obeyed is decided by `RouteGate`.
    package static let longest: Milliseconds = 86_400_000

    package init(delay: Milliseconds) {
        self.delay = max(0, min(delay, Self.longest))
    }

    /// As far as it is obeyed.
    package var obeyed: Milliseconds { min(delay, RouteGate.obedience) }
}

/// Why there is no answer that can be read.
package struct Breakage: Hashable, Sendable {
    package enum Kind: String, Sendable {
        /// The provider was not reached; nothing was sent.
        case unreachable
        /// Cut or reset while the call was under way.
        case reset
        case timeout
        /// The answer ended early: Content-Length not reached, or a stream without `message_stop`.
        case truncated
        /// A 200 whose body is not a Message.
        case malformed
        /// The answer is larger than renga keeps.
        case tooLarge
        /// The call could not even be written: the job's request or the settings are at fault.
        case unsendable
    }

    package var kind: Kind
    package var message: String
    /// Whether the provider may have got the request, and billed it.
    package var maySent: Bool
    package var usage: Usage?

    package init(kind: Kind, message: String, maySent: Bool, usage: Usage? = nil) {
        self.kind = kind
        self.message = Excerpt.line(message)
        self.maySent = maySent
        self.usage = usage
    }
}

/// Makes the call of an attempt.
///
/// Cancelling the task aborts the call, and the outcome is then `abandoned`.
package protocol ModelCaller: Sendable {
    /// What this caller can reach: a worker claims jobs of these services only.
    var services: [ServiceKey] { get }
    /// What tells a service's key from others without telling the key itself; a service without a key is missing.
    var fingerprints: [ServiceKey: String] { get }

    /// `listener` receives the answer as it comes, if it comes as a stream.
    func call(_ attempt: ClaimedAttempt, listener: (any AnswerListener)?) async -> Outcome
    /// Nil if the route's provider counts no tokens. Throws `JobError`.
    func countTokens(_ request: [UInt8], on route: RouteKey, betas: [String]) async throws -> PassedAnswer?
}

extension ModelCaller {
    package var fingerprints: [ServiceKey: String] { [:] }

    package func countTokens(
        _ request: [UInt8], on route: RouteKey, betas: [String]
    ) async throws -> PassedAnswer? { nil }

    package func call(_ attempt: ClaimedAttempt) async -> Outcome {
        await call(attempt, listener: nil)
    }
}
