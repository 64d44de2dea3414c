package import Jobs

/// What a transaction adds to counts and sums: written once, at its end, however many jobs it moves.
package struct Tallies: Sendable {
    package private(set) var lanes: [LaneState: Int] = [:]
    package private(set) var batches: [BatchState: Int] = [:]
    package private(set) var spends: [LaneDay: SpendDelta] = [:]
    package private(set) var tagSpends: [TagDay: SpendDelta] = [:]
    package private(set) var latencies: [AnswerTimes: Int] = [:]
    package private(set) var batchMoney: [Int64: SpendDelta] = [:]

    package struct LaneState: Hashable, Sendable {
        package let lane: Int64
        package let state: JobState
    }

    package struct BatchState: Hashable, Sendable {
        package let batch: Int64
        package let state: JobState
    }

    package struct LaneDay: Hashable, Sendable {
        package let day: Int64
        package let lane: Int64
    }

    package struct TagDay: Hashable, Sendable {
        package let day: Int64
        package let tag: String
    }

    package init() {}

    /// Notes that a job went from one state to another; nil for outside.
    package mutating func moved(lane: Int64, batch: Int64?, from old: JobState?, to new: JobState?) {
        guard old != new else { return }
        if let old { lanes[LaneState(lane: lane, state: old), default: 0] -= 1 }
        if let new { lanes[LaneState(lane: lane, state: new), default: 0] += 1 }
        guard let batch else { return }
        if let old { batches[BatchState(batch: batch, state: old), default: 0] -= 1 }
        if let new { batches[BatchState(batch: batch, state: new), default: 0] += 1 }
    }

    /// The same of a job that goes from one lane to another.
    package mutating func moved(from old: Int64, to new: Int64, state: JobState) {
        moved(lane: old, batch: nil, from: state, to: nil)
        moved(lane: new, batch: nil, from: nil, to: state)
    }

    /// Under the job's lane, and under each of its tags.
    package mutating func spent(
        lane: Int64, tags: [String], at now: Timestamp, _ change: (inout SpendDelta) -> Void
    ) {
        let day = now.milliseconds / Timestamp.day
        change(&spends[LaneDay(day: day, lane: lane), default: SpendDelta()])
        for tag in tags { change(&tagSpends[TagDay(day: day, tag: tag), default: SpendDelta()]) }
    }

    package mutating func booked(batch: Int64?, _ change: (inout SpendDelta) -> Void) {
        guard let batch else { return }
        change(&batchMoney[batch, default: SpendDelta()])
    }

    /// Counts how long an answer took.
    package mutating func answered(_ times: AnswerTimes) {
        latencies[times, default: 0] += 1
    }

    package mutating func add(_ other: Tallies) {
        lanes.merge(other.lanes, uniquingKeysWith: +)
        batches.merge(other.batches, uniquingKeysWith: +)
        spends.merge(other.spends, uniquingKeysWith: +)
        tagSpends.merge(other.tagSpends, uniquingKeysWith: +)
        latencies.merge(other.latencies, uniquingKeysWith: +)
        batchMoney.merge(other.batchMoney, uniquingKeysWith: +)
    }
}

/// What was spent, on top of what was.
package struct SpendDelta: Sendable {
    package var calls: Int64 = 0
    package var cacheHits: Int64 = 0
    package var usage = Usage()
    package var cost: Int64 = 0
    package var saved: Int64 = 0
    package var unconfirmedCost: Int64 = 0
    package var sharedHits: Int64 = 0
    package var sharedSaved: Int64 = 0
    /// What went at half the price, and what the same would have cost at the whole one.
    package var batchCalls: Int64 = 0
    package var batchCost: Int64 = 0
    package var batchFullCost: Int64 = 0

    package init() {}

    static func + (a: SpendDelta, b: SpendDelta) -> SpendDelta {
        var sum = a
        sum.calls = a.calls.addingSaturated(b.calls)
        sum.cacheHits = a.cacheHits.addingSaturated(b.cacheHits)
        sum.usage.inputTokens = a.usage.inputTokens.addingSaturated(b.usage.inputTokens)
        sum.usage.outputTokens = a.usage.outputTokens.addingSaturated(b.usage.outputTokens)
        sum.usage.cacheWriteTokens = a.usage.cacheWriteTokens.addingSaturated(b.usage.cacheWriteTokens)
        sum.usage.cacheReadTokens = a.usage.cacheReadTokens.addingSaturated(b.usage.cacheReadTokens)
        sum.cost = a.cost.addingSaturated(b.cost)
        sum.saved = a.saved.addingSaturated(b.saved)
        sum.unconfirmedCost = a.unconfirmedCost.addingSaturated(b.unconfirmedCost)
        sum.sharedHits = a.sharedHits.addingSaturated(b.sharedHits)
        sum.sharedSaved = a.sharedSaved.addingSaturated(b.sharedSaved)
        sum.batchCalls = a.batchCalls.addingSaturated(b.batchCalls)
        sum.batchCost = a.batchCost.addingSaturated(b.batchCost)
        sum.batchFullCost = a.batchFullCost.addingSaturated(b.batchFullCost)
        return sum
    }
}

/// How long an answer took, in classes: all of its time, what of it was waiting, and its call.
package struct AnswerTimes: Hashable, Sendable {
    /// A latency is counted under the minute in which the answer came.
    package static let minute: Milliseconds = 60_000

    package let minute: Int64
    package let route: Int64
    package let all: Int
    package let waiting: Int
    package let calling: Int

    package init(route: Int64, runnableAt: Timestamp, callMilliseconds: Milliseconds, now: Timestamp) {
        let milliseconds = max(callMilliseconds, now.milliseconds - runnableAt.milliseconds)
        minute = now.milliseconds / Self.minute
        self.route = route
        all = LatencyHistogram.index(of: milliseconds)
        waiting = LatencyHistogram.index(of: milliseconds - callMilliseconds)
        calling = LatencyHistogram.index(of: callMilliseconds)
    }
}
