import Jobs
import StoreRules

/// A store in memory: the rows that the rules know of, without a database.
///
/// A value: a search copies it, and goes on from each copy. A row's number is its place in its list, and one.
struct MemoryWorld: Sendable {
    var now: Now
    let settings: RuleSettings
    let terms: HalfPriceTerms

    var jobs: [JobRow] = []
    /// Places in `jobs` of those that have not ended.
    var unfinished: [Int] = []
    var open: [AttemptKey] = []
    var lanes: [LanePlace] = []
    var routes: [RouteRow]
    var queues: [QueueRow]
    var budgets: [BudgetRow] = []
    var windows: [WindowRow] = []
    var answers: [AnswerRow] = []
    var prefixes: [PromptOnRoute: PrefixRow] = [:]
    var workers: [WorkerRow] = []
    var credentials: [CredentialState] = []
    var batches: [BatchRow] = []
    /// The fair scheduler's virtual time, by route; SQLite keeps one for all: the first.
    var virtualTime: [Double]
    /// What was tallied, to be compared with what is there.
    var tallies = Tallies()
    /// What settlements say of routes, queues and windows, until a claim folds it in; with PostgreSQL's locks alone.
    var news: [News] = []
    /// Commits so far: which look-up saw which answer.
    var commits = 0
    /// What a change found that it should not have.
    var faults: [String] = []
    private var newWindows: [Int64: Int64] = [:]
    private var newBatches: [String: Int64] = [:]

    init(now: Now, settings: RuleSettings, terms: HalfPriceTerms, routes: [RouteRow], queues: [QueueRow]) {
        self.now = now
        self.settings = settings
        self.terms = terms
        self.routes = routes
        self.queues = queues
        virtualTime = routes.map { _ in 0 }
    }

    /// What a prompt or a prefix waits for.
    struct PromptOnRoute: Hashable {
        let hash: [UInt8]
        let route: Int64
    }
}

// MARK: - Numbers

extension MemoryWorld {
    /// A job's number says when it came; its lower bits are its place.
    func newJobID() -> Int64 { now.timestamp.milliseconds << 20 | Int64(jobs.count) }

    static func place(of job: Int64) -> Int { Int(job & 0xF_FFFF) }

    subscript(job id: Int64) -> JobRow {
        get { jobs[Self.place(of: id)] }
        set { jobs[Self.place(of: id)] = newValue }
        _modify { yield &jobs[Self.place(of: id)] }
    }

    subscript(attempt key: AttemptKey) -> AttemptRow {
        get { jobs[Self.place(of: key.job.value)].attempts[key.number - 1] }
        _modify { yield &jobs[Self.place(of: key.job.value)].attempts[key.number - 1] }
    }

    mutating func laneID(of place: LanePlace) -> Int64 {
        if let known = lanes.firstIndex(of: place) { return Int64(known + 1) }
        lanes.append(place)
        return Int64(lanes.count)
    }

    func lane(_ id: Int64) -> LanePlace { lanes[Int(id - 1)] }
    func route(_ id: Int64) -> RouteRow { routes[Int(id - 1)] }

    func laneBudget() -> LaneBudget {
        var tags: Set<String> = []
        for row in budgets {
            if case .tag(let tag) = row.budget.scope { tags.insert(tag) }
        }
        return LaneBudget(budgeted: tags)
    }

    mutating func opened(window: Int64, of budget: Int64) { newWindows[budget] = window }
    mutating func began(batch: Int64, token: String) { newBatches[token] = batch }

    func id(of window: WindowReference) -> Int64 {
        switch window {
        case .stored(let id): id
        case .new(let budget): newWindows[budget] ?? 0
        }
    }

    func id(of batch: BatchReference) -> Int64 {
        switch batch {
        case .stored(let id): id
        case .new(let token): newBatches[token] ?? 0
        }
    }

    mutating func fault(_ name: String, _ detail: String) {
        faults.append("\(name): \(detail)")
    }
}
