import Jobs

/// Tells when jobs will run: from their place in line, their queue's share and the pace of the bottleneck.
///
/// Bounded work, whatever the length of the line; the answer is an estimate.
struct Forecast<Reads: WaitReads> {
    private let reads: Reads
    private var knownSlots: Int?
    private var knownLanes: [ReadyLane]?
    private var weights: [Int64: Int] = [:]

    init(_ reads: Reads) {
        self.reads = reads
    }

    /// How long until the job's turn comes; nil if nothing is known of the pace.
    mutating func turn(of job: WaitingJob, on route: RouteState) throws -> Milliseconds? {
        guard try rate(queue: job.queue, route: route) != nil else { return nil }
        return try time(for: try ahead(of: job), queue: job.queue, route: route)
    }

    /// How long until so many jobs of a queue have begun on a route.
    mutating func time(for jobs: Double, queue: Int64, route: RouteState) throws -> Milliseconds? {
        guard let rate = try rate(queue: queue, route: route) else { return nil }
        // A century is as good as for ever, and stays a date.
        return Milliseconds(min(jobs / rate * 1000, 3.2e12))
    }

    /// Slots of all workers that live.
    mutating func slots() throws -> Int {
        let slots = try knownSlots ?? reads.slots()
        knownSlots = slots
        return slots
    }

    /// What waits in a lane, and the slots there are for it.
    mutating func backlog(of lane: Int64) throws -> Backlog {
        Backlog(
            ready: try reads.readyJobs(of: lane, limit: ForecastLimits.backlog), slots: try slots(),
            busy: try reads.busySlots())
    }

    // MARK: The pace

    /// Jobs of the queue a second on the route: its share of the pace, at most what its own limit lets through.
    private mutating func rate(queue: Int64, route: RouteState) throws -> Double? {
        let slots = try slots()
        guard slots > 0, let pace = route.ledger.pace(slots: slots) else { return nil }
        let queues = Set(try lanes().filter { $0.route == route.id }.map(\.queue)).union([queue])
        let all = try queues.reduce(0) { try $0 + weight(of: $1) }
        var rate = pace.callsPerSecond * Double(try weight(of: queue)) / Double(max(1, all))
        let call = route.ledger.profile.callMilliseconds
        if let limit = try reads.queue(queue)?.concurrency, call > 0 {
            rate = min(rate, Double(limit) * 1000 / call)
        }
        return rate > 0 ? rate : nil
    }

    private mutating func lanes() throws -> [ReadyLane] {
        let lanes = try knownLanes ?? reads.readyLanes()
        knownLanes = lanes
        return lanes
    }

    private mutating func weight(of queue: Int64) throws -> Int {
        if let known = weights[queue] { return known }
        // One that is paused takes no share of the others.
        let weight = try reads.queue(queue).map { $0.paused ? 0 : $0.weight } ?? 0
        weights[queue] = weight
        return weight
    }

    // MARK: The line

    private func ahead(of job: WaitingJob) throws -> Double {
        let counted = try reads.readyJobs(ahead: job, limit: ForecastLimits.places)
        guard counted == ForecastLimits.places, let ranks = try reads.ranks(of: job.lane),
            ranks.last > ranks.first
        else { return Double(counted) }
        let part =
            (Double(job.rank) - Double(ranks.first)) / (Double(ranks.last) - Double(ranks.first))
        return max(Double(counted), Double(try reads.queuedJobs(of: job.lane)) * part)
    }
}

private enum ForecastLimits {
    /// Places are counted up to here; further back they are estimated from the ranks at both ends of the line.
    static let places = 500
    /// Ready jobs of a lane are counted up to here; more than all slots of one machine.
    static let backlog = 10_000
}
