import Jobs
import StoreRules

/// A job as it is.
struct JobRow: Sendable {
    let id: Int64
    var lane: Int64
    let rank: Int64
    var state = JobState.queued
    var isReady = true
    var heldUntil: Timestamp?
    var heldHash: [UInt8]?
    let maxAttempts: Int
    let cache: CacheMode
    var maxTokens: Int
    let maxCost: Money?
    let tags: [String]
    var runAt: Timestamp
    var deadline: Timestamp?
    var request: RequestRow
    var check: CheckRow?
    var attempts: [AttemptRow] = []
    var attemptsCounted = 0
    var crashCount = 0
    var failures = 0
    var forgiven = 0
    var blame: JobBlame?
    var position = 0
    var cause: Fallback.Cause?
    var skipsCoalescing = false
    var answer: Int64?
    var cost: Int64 = 0
    /// How often it ended without being reopened.
    var endings = 0
}

/// What is sent for a job, and what is known of it.
struct RequestRow: Sendable {
    var own: [UInt8]
    var next: [UInt8]?
    var bytes: Int
    var promptHash: [UInt8]
    var bound: CostBound
    var prefix: CachePrefix?
}

struct CheckRow: Sendable {
    let rules: [UInt8]
    let routes: [Int64]
    /// The job's own route.
    let home: Int64
    var used = 0
    var passed: Bool?
}

struct AttemptRow: Sendable {
    var status = Attempt.Status.open
    let worker: Int64
    let route: Int64
    let home: Int64
    let position: Int
    let queue: Int64
    let openedAt: Moment
    let openedOn: Timestamp
    var leaseUntil: Moment
    let promptHash: [UInt8]?
    let need: RouteLedger.Need
    let reservedCost: Int64
    let marks: RouteLedger.Marks
    let windows: [Int64]
    let providerBatch: Int64?
    var cost: Int64 = 0
    var unconfirmedCost: Int64 = 0
    var error: JobError?
    /// Its job ended without it, as somebody cancelled it.
    var isRevoked = false
}

struct RouteRow: Sendable {
    var state: RouteState
    /// An account of its own of calls per minute: what the limit granted and calls have not taken; nil without a stated limit.
    var granted: Grant?

    /// Nothing but the limit, the time and the calls: what a bucket grants is held to it.
    struct Grant: Sendable {
        let perMillisecond: Double
        let capacity: Double
        var level: Double
        var at: Timestamp

        mutating func advance(to now: Timestamp) {
            level = min(capacity, level + Double(now - at) * perMillisecond)
            at = now
        }
    }
}

struct QueueRow: Sendable {
    let name: String
    var paused = false
    var concurrency: Int?
    var weight = 100
    /// By route: attempts open, and the pass there; SQLite keeps one pass for all, at the first route.
    var running: [Int]
    var pass: [Double]
    var streaks: [Int64: RefusalStreak] = [:]
}

struct BudgetRow: Sendable {
    var budget: Budget
}

struct WindowRow: Sendable {
    let budget: Int64
    let startsAt: Timestamp
    var settled: Int64 = 0
    var reserved: Int64 = 0
    var unconfirmedCost: Int64 = 0
    var alerted = 0
    var exhaustionLogged = false
}

struct AnswerRow: Sendable {
    let hash: [UInt8]?
    let route: Int64
    let job: Int64
    let cost: Int64
    let body: [UInt8]
    let createdAt: Timestamp
    let expiresAt: Timestamp
    /// The commit that brought it.
    let commit: Int
}

struct PrefixRow: Sendable {
    var until: Moment
    var writer: AttemptKey?
}

struct WorkerRow: Sendable {
    let id: Int64
    let partition: Partition
    let credential: Int
    /// What it calls now.
    var holds: [AttemptKey] = []
    var drainUntil: Moment?
}

/// A provider batch.
struct BatchRow: Sendable {
    enum State: Sendable { case filling, sealed, away, ended }

    let place: BatchPlace
    var state = State.filling
    var requests = 0
    var bytes = 0
    var soonest: Timestamp?
    var recallAt: Timestamp?
}

/// A settlement's or a reaper's effect on shared rows that it did not lock: applied to the rows as the fold finds them.
struct News: Sendable {
    enum Kind: Sendable {
        case settled(SharedClosing)
        case reaped
        case recalled
    }

    let kind: Kind
    let snapshot: SettleSnapshot
    let now: Now
    let seed: UInt64
    /// What the attempt's closing changes of its budgets.
    let money: BudgetLedger.Change
    /// What is still to be folded in: the route with its share of the queue, and budget windows.
    var routeIsUntold = true
    var untoldWindows: Set<Int64> = []
    var attempt: AttemptRecord { snapshot.attempt }
}
