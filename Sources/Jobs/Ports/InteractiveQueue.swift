/// Hears an answer while it arrives, on the call's task and in order; must be quick.
package protocol AnswerListener: Sendable {
    /// The provider takes the call and begins to answer.
    func began(_ head: AnswerHead)
    /// An event of the Messages API's stream, of whatever kind but the last one: how the answer ends is in the `Outcome`.
    func heard(_ event: AnswerEvent)
}

/// What the provider said before its answer.
package struct AnswerHead: Hashable, Sendable {
    package var requestID: String?
    /// `anthropic-ratelimit-…` and what else callers of a provider look at, names in lower case.
    package var headers: [Header]
    /// What it said of its limits, if an answer and no refusal follows.
    package var limits: LimitReport?

    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(requestID: String? = nil, headers: [Header] = [], limits: LimitReport? = nil) {
        self.requestID = requestID
        self.headers = headers
        self.limits = limits
    }
}

/// One event of a streamed answer.
package struct AnswerEvent: Hashable, Sendable {
    package var name: String
    /// JSON.
    package var data: [UInt8]

    package init(name: String, data: [UInt8]) {
        self.name = name
        self.data = data
    }
}

/// Where jobs are done whose callers wait for them: in this process, at once if the gates allow it.
package protocol InteractiveQueue: Sendable {
    /// Takes a job in, and claims it in the same transaction if its turn has come.
    ///
    /// Throws `JobStoreError`.
    func submit(_ job: NewJob) async throws -> SubmittedCall
    /// The answer to a job of this process's interactive lanes, whether its call has begun or not.
    func answer(to job: JobID) -> any AnswerSubscription
    /// What the route's provider says of a request's length; nil if it counts no tokens. It is no job and costs nothing.
    ///
    /// Throws `JobError` if the provider cannot be asked.
    func countTokens(_ request: [UInt8], on route: RouteKey, betas: [String]) async throws -> PassedAnswer?
}

/// A provider's answer, passed on as it came.
package struct PassedAnswer: Sendable {
    package var status: Int
    package var head: AnswerHead
    package var body: [UInt8]

    package init(status: Int, head: AnswerHead, body: [UInt8]) {
        self.status = status
        self.head = head
        self.body = body
    }
}

/// A job that was entered.
package struct SubmittedCall: Sendable {
    package var outcome: EnqueueOutcome
    /// Nil if the outcome has no id.
    package var state: JobState?
    /// Its answer, if this process makes the call now or will; nil if the job was there before: then the record may have it, or another process calls.
    package var answer: (any AnswerSubscription)?

    package init(outcome: EnqueueOutcome, state: JobState?, answer: (any AnswerSubscription)?) {
        self.outcome = outcome
        self.state = state
        self.answer = answer
    }
}

/// An answer as it grows, for any number of readers, each at a pace of its own.
package protocol AnswerSubscription: Sendable {
    var head: AnswerHead? { get }

    /// What came after the first `count` events; waits for it.
    ///
    /// Throws `CancellationError` if the reading task is cancelled.
    func news(after count: Int) async throws -> AnswerNews
    /// How it ends; waits for it. Throws as `news` does.
    func ending() async throws -> AnswerEnding
}

/// What a reader has not seen yet.
package enum AnswerNews: Sendable {
    case events([AnswerEvent])
    /// Nothing more comes.
    case ended(AnswerEnding)
}

/// How an answer ended; what it says is on disk.
package enum AnswerEnding: Sendable {
    case answered(Answer, cost: Money?, attempt: Int)
    /// Events were handed on, and then the call failed; no other answer continues them.
    case broken(JobError)
    /// The record tells: the job ended or went on without this process.
    case elsewhere
}
