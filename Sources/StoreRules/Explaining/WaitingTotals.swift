package import Jobs

/// What queued jobs wait for, summed up by queue and by route.
package struct WaitingTotals: Sendable {
    package private(set) var queues: [Int64: [WaitingTotal]] = [:]
    package private(set) var routes: [Int64: [WaitingTotal]] = [:]
    package private(set) var bottlenecks: [Int64: Bottleneck] = [:]

    /// Lanes looked at: the largest ones.
    private static let limit = 200

    package init(_ reads: some WaitReads, now: Now, settings: RuleSettings) throws {
        var resolver = WaitReasonResolver(reads, now: now, settings: settings)
        let lanes = try reads.waitingLanes(limit: Self.limit)
        for lane in lanes {
            let total = try resolver.total(of: lane) ?? WaitingTotal(waiting: Self.held, jobs: lane.jobs)
            Self.add(total, to: &queues[lane.queue, default: []])
            Self.add(total, to: &routes[lane.route, default: []])
        }
        // Jobs that a worker calls say more of a route than those that wait for a batch.
        for lane in lanes.filter({ !$0.isHalfPrice }) + lanes.filter(\.isHalfPrice)
        where bottlenecks[lane.route] == nil {
            bottlenecks[lane.route] = try resolver.bottleneck(of: lane)
        }
    }

    private static let held = WaitingFor(
        reason: .schedule, detail: "held until their time or for the answer to an identical prompt")

    private static func add(_ total: WaitingTotal, to totals: inout [WaitingTotal]) {
        let same = totals.firstIndex {
            $0.waiting.reason == total.waiting.reason && $0.waiting.detail == total.waiting.detail
        }
        guard let same else { return totals.append(total) }
        totals[same].jobs += total.jobs
        totals[same].waiting.until = [totals[same].waiting.until, total.waiting.until].compactMap { $0 }.min()
        totals[same].waiting.estimatedAt =
            [totals[same].waiting.estimatedAt, total.waiting.estimatedAt].compactMap { $0 }.max()
    }
}
