import Jobs
import Postgres
import StoreRules

/// The jobs that a filter finds, in the order of their ids.
///
/// A queue's, a model's or a state's jobs are those of some lanes, and the tallies tell in which there are any. Each lane has its
/// jobs of one state by id in an index, so a page is the merge of as many walks as there are such lanes, in one statement. A batch, a
/// tag and a `custom_id` have indexes of their own.
///
/// If a filter has parts of both kinds there are several ways to the same jobs, and each meets some that it must pass over. Which is
/// short depends on how the parts meet, and is not known beforehand: so all are gone in one round trip, each a bounded number of
/// entries, then twice as many in the next, until one has arrived.
struct Search {
    let filter: JobFilter
    let access: Access
    let states: Set<JobState>

    /// Entries that each of several ways meets in the first round trip, and in any: some milliseconds, some hundred.
    static let firstLook = 2_000
    static let longestLook = 64_000
    /// From so many starts a page is merged in some milliseconds.
    private static let fewStarts = 1_000
    /// How many jobs of a tag are counted before it is held for a common one.
    private static let commonTag = 2_000

    /// Only jobs that are in one of the states as well.
    init(_ filter: JobFilter, in states: [JobState] = JobState.allCases, _ access: Access) {
        self.filter = filter
        self.access = access
        var states = Set(states)
        if let state = filter.state { states.formIntersection([state]) }
        if filter.errorType != nil { states.formIntersection([.failed]) }
        self.states = states
    }

    /// The first ids behind `cursor`.
    func ids(_ direction: Walk.Direction, behind cursor: JobID?, limit: Int) throws -> [Int64] {
        guard limit > 0, let bounds = bounds(direction, behind: cursor) else { return [] }
        var courses = try ways().map { Course($0, direction, within: bounds, limit: limit) }
        // Nothing can be found if there is no way to go.
        guard !courses.isEmpty else { return [] }
        var look = Self.firstLook
        while true {
            if let arrived = courses.first(where: \.hasArrived) { return arrived.found }
            let answers = try access.query(courses.compactMap { $0.call(meeting: look) })
            for (index, rows) in answers.enumerated() { try courses[index].take(rows) }
            look = min(2 * look, Self.longestLook)
        }
    }

    /// Exact; if only lanes and states matter, the totals are read and no job is met.
    ///
    /// A batch's totals also count jobs that were pruned.
    func count() throws -> Int {
        guard let bounds = created else { return 0 }
        if isOfLanes { return try Standing.find(filter, in: states, access).total }
        guard let way = try shortestWay() else { return 0 }
        return try way.walks.isEmpty ? 0 : access.query([way.counting(within: bounds)])[0].first?.int(0) ?? 0
    }

    private func bounds(_ direction: Walk.Direction, behind cursor: JobID?) -> ClosedRange<Int64>? {
        guard let cursor else { return created }
        return direction == .ascending ? created?.above(cursor.value) : created?.below(cursor.value)
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

// MARK: Which index

extension Search {
    /// All that are worth going; if one meets nothing but what is to be found, that one alone.
    func ways() throws -> [Way] {
        let ways = try allWays().map(\.way)
        return ways.first(where: \.isExact).map { [$0] } ?? ways
    }

    private func shortestWay() throws -> Way? {
        try allWays().map { (jobs: try $0.jobs(), way: $0.way) }.min { $0.jobs < $1.jobs }?.way
    }

    /// The ways with what tells how many jobs each meets.
    private func allWays() throws -> [(jobs: () throws -> Int, way: Way)] {
        guard !states.isEmpty else { return [] }
        if let customID = filter.customID { return [({ 1 }, named(customID))] }
        var ways: [(jobs: () throws -> Int, way: Way)] = []
        if let batch = filter.batch { ways.append(({ try size(of: batch) }, ofBatch(batch))) }
        if let tag = filter.tag { ways.append(({ try size(of: tag) }, ofTag(tag))) }
        if namesLanes {
            let standings = try Standing.find(filter, in: states, access)
            ways.append(({ standings.total }, ofLanes(standings)))
        }
        let isShort = ways.contains { $0.way.walks.reduce(0) { $0 + $1.startCount } <= Self.fewStarts }
        // Beside very many lanes it may be the shortest to look through the jobs at the end that is asked for.
        return isShort ? ways : ways + [({ .max }, everything)]
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

    /// How many jobs of a batch were in the states, by the tallies; those that were pruned are among them.
    func size(of batch: BatchID) throws -> Int {
        let values: [Value] = [.integer(batch.value), .textArray(states.map(\.rawValue))]
        return try access.queryOne(.batchSize, values) { row in try row.int(0) } ?? 0
    }

    private func size(of tag: String) throws -> Int {
        try access.queryOne(.tagSize, [.text(tag), .integer(Self.commonTag)]) { row in try row.int(0) } ?? 0
    }

    private var everything: Way {
        Way(walks: [Walk(.all, in: "job", key: nil, id: "id")], conditions: conditions())
    }

    private func ofBatch(_ batch: BatchID) -> Way {
        Way(
            walks: [
                Walk(.batch(batch.value), in: "job", key: "batch_id", id: "id", where: "batch_id IS NOT NULL")
            ],
            conditions: conditions(besides: \.batch))
    }

    private func ofTag(_ tag: String) -> Way {
        Way(walks: [Walk(.tag(tag), in: "job_tag", key: "tag")], conditions: conditions(besides: \.tag))
    }

    /// At most one job of each queue.
    private func named(_ customID: String) -> Way {
        let walk = Walk(.queues, in: "job_name", key: "queue_id", where: "custom_id = ?", .text(customID))
        return Way(walks: [walk], conditions: conditions(besides: \.customID))
    }
}

// MARK: Lanes

extension Search {
    func ofLanes(_ standings: [Standing]) -> Way {
        var walks: [Walk] = []
        for state in JobState.allCases where states.contains(state) {
            let lanes = standings.filter { $0.state == state }.map(\.lane)
            if !lanes.isEmpty { walks.append(walk(state, lanes)) }
        }
        return Way(walks: walks, conditions: conditionsInLanes())
    }

    private func walk(_ state: JobState, _ lanes: [Int64]) -> Walk {
        switch state {
        case .queued: Walk(.lanes(lanes), in: "waiting", key: "lane_id")
        case .running: Walk(.lanes(lanes), in: "running", key: "lane_id", where: "state = 'running'")
        case .review: Walk(.lanes(lanes), in: "running", key: "lane_id", where: "state = 'review'")
        case .failed:
            if let type = filter.errorType {
                Walk(.lanes(lanes), in: "ended", key: "lane_id", where: "error_type = ?", .text(type))
            } else {
                Walk(.lanes(lanes), in: "ended", key: "lane_id", where: "state = 'failed'")
            }
        case .cancelled: Walk(.lanes(lanes), in: "ended", key: "lane_id", where: "state = 'cancelled'")
        case .succeeded: Walk(.lanes(lanes), in: "ended", key: "lane_id", where: "state = 'succeeded'")
        }
    }
}

// MARK: The rest of the filter

extension Search {
    /// All that is asked of a job itself; an index has answered for one part.
    private func conditions(besides answered: PartialKeyPath<JobFilter>? = nil) -> Way.Conditions {
        var conditions = Way.Conditions()
        if states.count < JobState.allCases.count {
            conditions.add("place.state = ANY (?)", .textArray(states.map(\.rawValue)), of: .place)
        }
        if let queue = filter.queue {
            conditions.add("lane.queue_id = (SELECT id FROM queue WHERE name = ?)", .text(queue), of: .place)
        }
        if let model = filter.model { conditions.add("route.model = ?", .text(model), of: .place) }
        if let type = filter.errorType { conditions.add("place.error_type = ?", .text(type), of: .place) }
        addOthers(to: &conditions, besides: answered)
        return conditions
    }

    /// The same of a job of the filter's lanes and states.
    private func conditionsInLanes() -> Way.Conditions {
        var conditions = Way.Conditions()
        addOthers(to: &conditions, besides: nil)
        return conditions
    }

    private func addOthers(to conditions: inout Way.Conditions, besides answered: PartialKeyPath<JobFilter>?)
    {
        if answered != \.batch, let batch = filter.batch {
            conditions.add("job.batch_id = ?", .integer(batch.value), of: .job)
        }
        if answered != \.tag, let tag = filter.tag {
            conditions.add(
                "EXISTS (SELECT 1 FROM job_tag WHERE job_tag.tag = ? AND job_tag.job_id = met.id)",
                .text(tag),
                of: .id)
        }
        if filter.isUnpublished {
            conditions.add(
                "NOT EXISTS (SELECT 1 FROM message_batch WHERE message_batch.batch_id = job.batch_id)",
                of: .job)
        }
    }
}

extension Statement {
    fileprivate static let batchSize = Statement(
        "batch-size",
        """
        SELECT coalesce(sum(jobs), 0)::bigint
        FROM batch_tally
        WHERE batch_id = $1::bigint AND state = ANY ($2::text[])
        """, .bigint, .texts)
    fileprivate static let tagSize = Statement(
        "tag-size",
        """
        SELECT count(*)
        FROM (SELECT 1 FROM job_tag WHERE tag = $1::text LIMIT $2::bigint) AS counted
        """, .text, .bigint)
}
