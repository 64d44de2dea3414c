/// All that a claim and a settlement need to know of a route: its gate, its limits, and what was learned of it.
///
/// Pure: a store loads it, asks it, and writes it back in the same transaction.
package struct RouteLedger: Sendable {
    /// What is limited per minute.
    package enum Meter: String, Sendable, CaseIterable {
        case requests
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"

        package var description: String {
            switch self {
            case .requests: "requests per minute"
            case .inputTokens: "input tokens per minute"
            case .outputTokens: "output tokens per minute"
            }
        }

        /// The provider rounds token headers to the nearest thousand.
        var rounding: Double { self == .requests ? 0 : 500 }
        /// The most that one call takes of it.
        package var largest: Double { self == .requests ? 1 : Need.largest }
    }

    /// One limit.
    package struct Line: Sendable {
        /// The operator's own limit, if one was set; the provider's may lower it.
        package var stated: Int?
        package var bucket: TokenBucket
        /// All that was ever reserved; it only grows.
        package var reserved: Double

        package init(stated: Int?, bucket: TokenBucket, reserved: Double) {
            self.stated = stated
            self.bucket = bucket
            self.reserved = reserved.isFinite ? reserved : 0
        }
    }

    package var gate: RouteGate
    package var isPaused: Bool
    /// Attempts open on the route.
    package var running: Int
    /// Calls that succeeded, ever.
    package var succeeded: Int
    /// Whether an answer has reported the limits, or that there are none.
    package var isLearned: Bool
    /// What its answers were like.
    package var profile: RouteProfile
    package var lines: Lines
    /// Counts only while no limit is known.
    package var window = ConcurrencyWindow()
    /// Reserved by attempts that are open, of input and of output.
    package var openInput: Double = 0
    package var openOutput: Double = 0
    /// Over how long the provider allows to save up what was not used; a minute, or less if it enforces more strictly.
    package var burst: Milliseconds = TokenBucket.minute
    /// Whether `max_tokens` is what a call reserves of the output limit, instead of what answers are like.
    package var reservesMaxTokens = false
    /// Whether input that is read from the provider's cache counts against the input limit.
    package var countsCacheReads = false
    /// The operator's cap on calls in flight, over all workers.
    package var concurrency: Int?

    /// How many calls fly on a route that has never answered, and after how many identical refusals jobs are asked one at a
    /// time.
    package static let autoPauseThreshold = 20

    static let learning = "the provider names no limits: calls in flight grow with its answers"

    package init(
        gate: RouteGate, isPaused: Bool, running: Int, succeeded: Int, isLearned: Bool,
        profile: RouteProfile, lines: Lines
    ) {
        self.gate = gate
        self.isPaused = isPaused
        self.running = running
        self.succeeded = succeeded
        self.isLearned = isLearned
        self.profile = profile
        self.lines = lines
    }
}
