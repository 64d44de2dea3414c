import Jobs
import SQLite
import StoreRules

/// The jobs that a filter finds, in the order of their ids.
///
/// A queue's, a model's or a state's jobs are those of some lanes, and the tallies tell in which there are any. Each lane has its
/// jobs of one kind of state by id in an index, so a list is the merge of as many walks as there are such lanes: some
/// microseconds each, however many jobs there are. A batch, a tag and a `custom_id` have indexes of their own.
///
/// If a filter has parts of both kinds there are several ways to the same jobs. Which is short depends on how the parts meet, and
/// is not known beforehand: so each is gone a little, then each a little further, until one has arrived.
///
/// What remains slow is a filter of parts that each find very many jobs and hardly any together, such as a tag that half of two
/// million jobs have with a state that the other half is in: it looks through all of the smaller part.
struct Search {
    let filter: JobFilter
    let connection: Connection
    private let states: Set<JobState>

    /// How many jobs of a tag are counted before it is held for a common one.
    private static let commonTag = 2_000
    /// From so many places a list is merged in a millisecond or so.
    private static let fewStarts = 100
    /// How many steps of SQLite's machine one of several ways is gone at first, before the next is tried: some milliseconds.
    fileprivate static let patience = 20_000
    /// What an unfinished job is in.
    private static let open: Set<JobState> = [.queued, .running, .review]

    /// Only jobs that are in one of the states as well.
    init(_ filter: JobFilter, in states: [JobState] = JobState.allCases, _ connection: Connection) {
        self.filter = filter
        self.connection = connection
        var states = Set(states)
        if let state = filter.state { states.formIntersection([state]) }
        if filter.errorType != nil { states.formIntersection([.failed]) }
        self.states = states
    }

    /// The first ids behind `cursor`.
    func ids(_ direction: Walk.Direction, behind cursor: JobID?, limit: Int) throws -> [Int64] {
        try connection.shortest(of: try ways()) { walks in
            try ids(of: walks, direction, behind: cursor, limit: limit)
        }
    }

    func ids(
        of walks: [Walk], _ direction: Walk.Direction, behind cursor: JobID?, limit: Int
    ) throws -> [Int64] {
        guard var bounds = created else { return [] }
        if let cursor {
            let rest = direction == .ascending ? bounds.above(cursor.value) : bounds.below(cursor.value)
            guard let rest else { return [] }
            bounds = rest
        }
        var found: [Int64] = []
        for walk in walks {
            let selection = walk.selection(direction)
            // Newer lanes have the newer jobs as a rule, so what is found first leaves the others little to find.
            for start in direction == .ascending ? walk.starts : walk.starts.reversed() {
                let values = walk.values(from: start, within: bounds) + [.integer(limit)]
                let some = try connection.query(selection, values) { row in row.int64(0) }
                guard !some.isEmpty else { continue }
                found = Self.merged(found, some, direction, limit: limit)
                guard found.count == limit, let last = found.last else { continue }
                let rest = direction == .ascending ? bounds.below(last) : bounds.above(last)
                guard let rest else { return found }
                bounds = rest
            }
        }
        return found
    }

    /// Exact; if only lanes and states matter, the totals are read and no row is counted.
    func count() throws -> Int {
        guard let bounds = created else { return 0 }
        if isOfLanes { return try standings().reduce(0) { $0 + $1.jobs } }
        return try ways()[0].reduce(0) { sum, walk in
            let counting = walk.counting()
            return try walk.starts.reduce(sum) { sum, start in
                let values = walk.values(from: start, within: bounds)
                return sum + (try connection.queryOne(counting, values) { row in row.int(0) } ?? 0)
            }
        }
    }

    /// Two sorted lists without a common element, as one.
    private static func merged(
        _ some: [Int64], _ more: [Int64], _ direction: Walk.Direction, limit: Int
    ) -> [Int64] {
        guard !some.isEmpty else { return more }
        var merged: [Int64] = []
        merged.reserveCapacity(limit)
        var (some, more) = (some[...], more[...])
        while merged.count < limit {
            guard let first = some.first else { return merged + more.prefix(limit - merged.count) }
            guard let other = more.first else { return merged + some.prefix(limit - merged.count) }
            if (first < other) == (direction == .ascending) {
                merged.append(first)
                some.removeFirst()
            } else {
                merged.append(other)
                more.removeFirst()
            }
        }
        return merged
    }
}

// MARK: Which index

extension Search {
    /// What can be walked to find the jobs, none of them twice; one way at least, and that with the fewest jobs first.
    func ways() throws -> [[Walk]] {
        guard !states.isEmpty else { return [[]] }
        if let customID = filter.customID { return [[named(customID)]] }
        var ways: [(jobs: Int, walks: [Walk])] = []
        if let batch = filter.batch { ways.append((try count(batch), [ofBatch(batch)])) }
        if let tag = filter.tag { ways.append((try count(tag, atMost: Self.commonTag), [ofTag(tag)])) }
        if namesLanes {
            let standings = try standings()
            ways.append((standings.reduce(0) { $0 + $1.jobs }, try ofLanes(standings)))
        }
        let sorted = ways.sorted { $0.jobs < $1.jobs }.map(\.walks)
        // Beside very many lanes it may be the shortest to look through the jobs at the end that is asked for.
        let isShort = sorted.contains { $0.reduce(0) { $0 + $1.starts.count } <= Self.fewStarts }
        return isShort ? sorted : sorted + [[everything]]
    }

    /// Whether the filter is about lanes and states at all.
    private var namesLanes: Bool {
        filter.queue != nil || filter.model != nil || states.count < JobState.allCases.count
    }

    /// Whether it is about nothing else.
    private var isOfLanes: Bool {
        var rest = filter
        (rest.state, rest.queue, rest.model) = (nil, nil, nil)
        return rest == JobFilter()
    }

    private func count(_ batch: BatchID) throws -> Int {
        try connection.queryOne(
            "SELECT coalesce(sum(jobs), 0) FROM batch_tally WHERE batch_id = ?1", [.integer(batch.value)],
            { row in row.int(0) }) ?? 0
    }

    private func count(_ tag: String, atMost limit: Int) throws -> Int {
        try connection.queryOne(
            "SELECT count(*) FROM (SELECT 1 FROM job_tag WHERE tag = ?1 LIMIT ?2)",
            [.text(tag), .integer(limit)], { row in row.int(0) }) ?? 0
    }

    private var everything: Walk {
        Walk("job NOT INDEXED", entry: "TRUE", starts: [[]], conditions: conditions())
    }

    private func ofBatch(_ batch: BatchID) -> Walk {
        Walk(
            "job INDEXED BY job_of_batch", entry: "job.batch_id = ?", starts: [[.integer(batch.value)]],
            conditions: conditions(besides: \.batch))
    }

    private func ofTag(_ tag: String) -> Walk {
        Walk(
            "job_tag CROSS JOIN job ON job.id = job_tag.job_id", id: "job_tag.job_id",
            entry: "job_tag.tag = ?", starts: [[.text(tag)]], conditions: conditions(besides: \.tag))
    }

    /// At most one job of each queue; so few are sorted.
    private func named(_ customID: String) -> Walk {
        Walk(
            "queue CROSS JOIN job INDEXED BY job_custom_id ON job.queue_id = queue.id",
            entry: "job.custom_id = ?",
            starts: [[.text(customID)]], conditions: conditions(besides: \.customID))
    }
}

// MARK: Lanes

extension Search {
    /// How many jobs of the filter's lanes are in one of its states; never none.
    private struct Standing {
        let lane: Int64
        let state: JobState
        let jobs: Int
    }

    /// In the order of lanes.
    private func standings() throws -> [Standing] {
        var lanes = Walk.Conditions()
        if let queue = filter.queue {
            lanes.add("lane.queue_id = (SELECT id FROM queue WHERE name = ?1)", .text(queue))
        }
        if let model = filter.model { lanes.add("route.model = ?\(lanes.values.count + 1)", .text(model)) }
        let all = lanes.clauses + ["lane_tally.jobs > 0"]
        let sql = SQL(
            """
            SELECT lane_tally.lane_id, lane_tally.state, lane_tally.jobs
            FROM lane
            JOIN route ON route.id = lane.route_id
            JOIN lane_tally ON lane_tally.lane_id = lane.id
            WHERE \(all.joined(separator: " AND "))
            ORDER BY lane_tally.lane_id
            """)
        return try connection.query(sql, lanes.values) { row in
            let state = JobState(rawValue: row.text(1))
            return state.flatMap {
                states.contains($0) ? Standing(lane: row.int64(0), state: $0, jobs: row.int(2)) : nil
            }
        }
        .compactMap { $0 }
    }

    private func ofLanes(_ standings: [Standing]) throws -> [Walk] {
        func lanes(_ some: Set<JobState>) -> [[Value]] {
            var lanes: [Int64] = []
            for standing in standings where some.contains(standing.state) && lanes.last != standing.lane {
                lanes.append(standing.lane)
            }
            return lanes.map { [.integer($0)] }
        }
        var walks: [Walk] = []
        if states.isSuperset(of: Self.open) {
            walks.append(unfinished(lanes(Self.open)))
        } else {
            if states.contains(.queued) { walks.append(unfinished(lanes([.queued]), queued: true)) }
            if states.contains(.running), !lanes([.running]).isEmpty { walks.append(try running()) }
            if states.contains(.review) { walks.append(unhappy(.review, lanes([.review]))) }
        }
        if states.contains(.succeeded) { walks.append(succeeded(lanes([.succeeded]))) }
        if states.contains(.failed) { walks.append(failed(lanes([.failed]))) }
        if states.contains(.cancelled) { walks.append(unhappy(.cancelled, lanes([.cancelled]))) }
        return walks.filter { !$0.starts.isEmpty }
    }

    /// Of the few that are not queued among them, nothing is said by the index: a claim would have to write it.
    private func unfinished(_ lanes: [[Value]], queued: Bool = false) -> Walk {
        var conditions = conditionsInLanes()
        if queued { conditions.add("job.state = 'queued'") }
        return Walk(
            "job INDEXED BY job_unfinished", entry: "job.finish_order IS NULL AND job.lane_id = ?",
            starts: lanes,
            conditions: conditions)
    }

    private func succeeded(_ lanes: [[Value]]) -> Walk {
        Walk(
            "job INDEXED BY job_succeeded", entry: "job.state = 'succeeded' AND job.lane_id = ?",
            starts: lanes,
            conditions: conditionsInLanes())
    }

    private func failed(_ lanes: [[Value]]) -> Walk {
        guard let type = filter.errorType else { return unhappy(.failed, lanes) }
        return Walk(
            "job INDEXED BY job_error",
            entry: "job.error_type = ? AND job.lane_id = ?",
            starts: lanes.map { [.text(type)] + $0 }, conditions: conditionsInLanes())
    }

    private func unhappy(_ state: JobState, _ lanes: [[Value]]) -> Walk {
        Walk(
            "job INDEXED BY job_unhappy", entry: "job.state = '\(state.rawValue)' AND job.lane_id = ?",
            starts: lanes, conditions: conditionsInLanes())
    }

    /// By who holds them: what runs is little, but may stand behind a million jobs that wait in the same lane.
    private func running() throws -> Walk {
        var conditions = conditions(besides: \.state)
        conditions.add("job.state = 'running'")
        let workers = try connection.query(Self.busyWorkers) { row in [Value.integer(row.int64(0))] }
        return Walk(
            """
            attempt INDEXED BY attempt_worker
            CROSS JOIN job ON job.id = attempt.job_id AND job.attempt = attempt.number
            """, id: "attempt.job_id", entry: "attempt.status = 'open' AND attempt.worker_id = ?",
            starts: workers,
            conditions: conditions)
    }

    private static let busyWorkers: SQL = """
        WITH RECURSIVE busy (worker_id) AS (
            SELECT min(worker_id) FROM attempt WHERE status = 'open'
            UNION ALL
            SELECT (SELECT min(worker_id) FROM attempt WHERE status = 'open' AND worker_id > busy.worker_id)
            FROM busy
            WHERE busy.worker_id IS NOT NULL
        )
        SELECT worker_id FROM busy WHERE worker_id IS NOT NULL
        """
}

// MARK: The rest of the filter

extension Search {
    /// All that is asked of a job itself; an index has answered for one part.
    private func conditions(besides answered: PartialKeyPath<JobFilter>? = nil) -> Walk.Conditions {
        var conditions = Walk.Conditions()
        if answered != \.state, states.count < JobState.allCases.count {
            let any = JobState.allCases.filter(states.contains).map { "job.state = '\($0.rawValue)'" }
            conditions.add("(\(any.joined(separator: " OR ")))")
        }
        if let queue = filter.queue {
            conditions.add("job.queue_id = (SELECT id FROM queue WHERE name = ?)", .text(queue))
        }
        if let model = filter.model {
            conditions.add(
                """
                job.lane_id IN (
                    SELECT lane.id FROM lane JOIN route ON route.id = lane.route_id WHERE route.model = ?
                )
                """, .text(model))
        }
        if let type = filter.errorType { conditions.add("job.error_type = ?", .text(type)) }
        addOthers(to: &conditions, besides: answered)
        return conditions
    }

    /// The same of a job of the filter's lanes and states.
    private func conditionsInLanes() -> Walk.Conditions {
        var conditions = Walk.Conditions()
        addOthers(to: &conditions, besides: nil)
        return conditions
    }

    private func addOthers(to conditions: inout Walk.Conditions, besides answered: PartialKeyPath<JobFilter>?)
    {
        if answered != \.batch, let batch = filter.batch {
            conditions.add("job.batch_id = ?", .integer(batch.value))
        }
        if answered != \.tag, let tag = filter.tag {
            conditions.add(
                "EXISTS (SELECT 1 FROM job_tag WHERE job_tag.tag = ? AND job_tag.job_id = job.id)", .text(tag)
            )
        }
        if filter.isUnpublished {
            conditions.add(
                "NOT EXISTS (SELECT 1 FROM message_batch WHERE message_batch.batch_id = job.batch_id)")
        }
    }

    /// Ids are times of creation.
    ///
    /// Nil if none lies between.
    private var created: ClosedRange<Int64>? {
        let after = filter.createdAfter.map { ($0 + 1).firstID } ?? 0
        let before = filter.createdBefore.map { $0.firstID - 1 } ?? .max
        return after <= before ? after...before : nil
    }
}

extension ClosedRange<Int64> {
    fileprivate func above(_ value: Int64) -> Self? {
        value < lowerBound ? self : value < upperBound ? (value + 1)...upperBound : nil
    }

    fileprivate func below(_ value: Int64) -> Self? {
        value > upperBound ? self : value > lowerBound ? lowerBound...(value - 1) : nil
    }
}

extension Connection {
    /// What one of the ways yields; all yield the same.
    ///
    /// A short one is found at a few times its own cost, whatever the others would cost.
    func shortest<Way, T>(of ways: [Way], _ go: (Way) throws -> T) throws -> T {
        var steps = Search.patience
        while ways.count > 1 {
            for way in ways { if let arrived = try within(steps: steps, { try go(way) }) { return arrived } }
            steps *= 4
        }
        return try go(ways[0])
    }
}
