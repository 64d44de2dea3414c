import Jobs
import StoreRules

/// Two states with the same key go on alike: all that decisions ask of a state, with times as they are from now.
///
/// A hash of 128 bits: among a million states the chance that two different ones share it is below 10⁻²⁶.
struct StateKey: Hashable, Sendable {
    private var high: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var low: UInt64 = 0xD1B5_4A32_D192_ED03

    mutating func add(_ value: Int64) {
        let value = UInt64(bitPattern: value)
        high = Self.mixed(high ^ value &* 0xBF58_476D_1CE4_E5B9) &+ 0x9E37_79B9_7F4A_7C15
        low = Self.mixed(low &+ value &* 0x94D0_49BB_1331_11EB) ^ high
    }

    mutating func add(_ value: Int) { add(Int64(value)) }
    mutating func add(_ value: Bool) { add(value ? 1 : 0) }

    /// A time to come, by how far it is; all that is past is alike.
    mutating func add(_ time: Milliseconds?) { add(Swift.max(-1, time ?? -2)) }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    private mutating func add(_ other: StateKey) {
        add(Int64(bitPattern: other.high))
        add(Int64(bitPattern: other.low))
    }
}

extension StateKey {
    init(_ state: SmallWorld) {
        let world = state.world
        for job in world.jobs { add(job, state) }
        let ledger = world.routes[0].state.ledger
        for value in [
            ledger.running, ledger.succeeded, ledger.gate.failures, ledger.gate.trips, ledger.window.calls,
        ] {
            add(value)
        }
        add(ledger.gate.state.hashOfName)
        add(ledger.gate.until.map { Swift.max(0, $0.since(world.now.moment)) })
        add(ledger.gate.rampFrom.map { 10_000 - Swift.min(10_000, world.now.moment.since($0)) })
        add(world.queues[0].running[0])
        add(world.queues[0].streaks[1]?.refusals ?? -1)
        for window in world.windows {
            add(window.settled)
            add(window.reserved)
            add(window.unconfirmedCost)
        }
        add(world.answers.count)
        for news in world.news { add(news) }
        add(state.faults.crashes)
        add(state.faults.failures)
        add(state.faults.cancels)
        for (pending, origin) in zip(state.engine.pending, state.origins) {
            add(Int64(truncatingIfNeeded: pending.verb.words.utf8.reduce(7) { $0 &* 31 &+ Int($1) }))
            add(origin)
        }
    }

    private mutating func add(_ job: JobRow, _ state: SmallWorld) {
        let world = state.world
        add(job.state.hashOfName)
        add(job.isReady)
        add(job.heldUntil.map { $0 - world.now.timestamp })
        add(job.heldHash.map { Int64($0[0]) })
        for value in [
            job.attemptsCounted, job.failures, job.forgiven, job.crashCount, job.blame?.mark ?? -1,
            job.attempts.count,
        ] { add(value) }
        add(job.skipsCoalescing)
        add(job.answer ?? 0)
        for (place, attempt) in job.attempts.enumerated() {
            let key = AttemptKey(job: JobID(job.id), number: place + 1)
            add(attempt.status.hashOfName)
            add(attempt.cost)
            add(attempt.unconfirmedCost)
            add(attempt.marks.succeeded)
            add(attempt.isRevoked)
            guard attempt.status == .open || state.lost.contains(key) else { continue }
            add(state.lost.contains(key))
            add(world.workers.firstIndex { $0.holds.contains(key) } ?? -1)
            // Living workers renew in time.
            add(state.lost.contains(key) ? attempt.leaseUntil.since(world.now.moment) : nil)
            let closed = world.routes[0].state.ledger.gate.closedAt
            add(closed.map { attempt.openedAt.milliseconds >= $0.milliseconds } ?? true)
        }
    }

    private mutating func add(_ news: News) {
        add(Int64(MemoryWorld.place(of: news.attempt.key.job.value)))
        add(news.attempt.number)
        add(news.routeIsUntold)
        add(news.untoldWindows.count)
        add(news.money.settled.nanodollars)
        add(news.money.unconfirmedCost.nanodollars)
    }
}

extension RawRepresentable where RawValue == String {
    fileprivate var hashOfName: Int { rawValue.utf8.reduce(7) { $0 &* 31 &+ Int($1) } }
}
