import Postgres

/// The bare loop's claims and settlements: each locks what it will change and looks, and then writes and commits.
struct BareClaimer {
    private let store: BarePostgres
    /// Where the last claim began: what lies before it is gone.
    private var floor: Int64 = 0

    struct Job {
        var id: Int64
        var hash: [UInt8]
        var rank: Int64
    }

    private static let worker: Int64 = 1
    /// What an attempt reserves, and then costs, in nano-dollars.
    private static let money: Int64 = 5_000_000

    init(_ store: BarePostgres) {
        self.store = store
    }

    mutating func claim(_ count: Int) throws -> [Job] {
        let (place, now, floor) = (store.place, BarePostgres.now, floor)
        let jobs = try store.connection.transaction { transaction in
            let looked = try transaction.run(
                shared() + [
                    Call(.heads) {
                        $0.add(place.lane)
                        $0.add(Int64(count))
                        $0.add(now)
                        $0.add(floor)
                        $0.add(place.route)
                    }
                ])
            let jobs = try looked[4].map { row in
                Job(id: try row.int64(0), hash: try row.bytes(1), rank: try row.int64(2))
            }
            guard !jobs.isEmpty else { return jobs }
            let bodies = try transaction.commit(
                opening(jobs, now) + changes(of: jobs.count, opens: true, now))
            guard bodies[3].count == jobs.count else { throw BenchmarkError("requests are missing") }
            return jobs
        }
        self.floor = jobs.first?.rank ?? floor
        return jobs
    }

    func settle(_ jobs: [Job]) throws {
        let now = BarePostgres.now
        try store.connection.transaction { transaction in
            let looked = try transaction.run(
                shared() + [Call(.flights) { $0.add(column: jobs.map(\.id)) }])
            guard looked[4].count == jobs.count else { throw BenchmarkError("attempts are missing") }
            try transaction.commit(closing(jobs, now) + changes(of: jobs.count, opens: false, now))
        }
    }

    /// Locks what all claims and settlements share, and reads it.
    private func shared() -> [Call] {
        let place = store.place
        return [
            Call(.lockRoute) { $0.add(place.route) }, Call(.buckets) { $0.add(place.route) },
            Call(.lockQueue) { $0.add(place.queue) }, Call(.lockWindows) { $0.add(array: place.windows) },
        ]
    }

    private func opening(_ jobs: [Job], _ now: Int64) -> [Call] {
        let (place, ids) = (store.place, jobs.map(\.id))
        return [
            Call(.deleteWaiting) { $0.add(array: ids) },
            Call(.insertRunning) {
                $0.add(array: ids)
                $0.add(place.lane)
                $0.add(now)
            },
            Call(.insertFlight) {
                $0.add(column: ids)
                $0.add(column: jobs.map(\.hash))
                $0.add(Self.worker)
                $0.add(place.route)
                $0.add(place.queue)
                $0.add(now)
                $0.add(array: place.windows)
                $0.add(Self.money)
            },
            Call(.requests) { $0.add(array: ids) },
        ]
    }

    private func closing(_ jobs: [Job], _ now: Int64) -> [Call] {
        let (place, ids) = (store.place, jobs.map(\.id))
        return [
            Call(.insertAnswers) {
                $0.add(column: ids)
                $0.add(column: jobs.map(\.hash))
                $0.add(column: jobs.map { _ in Sample.answer })
                $0.add(place.route)
                $0.add(now)
                $0.add(Self.money)
            },
            Call(.closeFlights) {
                $0.add(array: ids)
                $0.add(now)
                $0.add(Self.money)
            },
            Call(.deleteRunning) { $0.add(array: ids) },
            Call(.insertEnded) {
                $0.add(array: ids)
                $0.add(place.lane)
                $0.add(now)
                $0.add(Self.money)
            },
            Call(.addSpend) {
                $0.add(now / 86_400_000)
                $0.add(place.lane)
                $0.add(Int64(jobs.count))
                $0.add(Self.money)
            },
        ]
    }

    /// What becomes of the shared rows.
    private func changes(of count: Int, opens: Bool, _ now: Int64) -> [Call] {
        let (place, count) = (store.place, Int64(count))
        let running = opens ? count : -count
        let settled = opens ? 0 : count
        return [
            Call(.changeRoute) {
                $0.add(place.route)
                $0.add(running)
                $0.add(settled)
                $0.add(Double(running) * 100)
            },
            Call(.changeBuckets) {
                $0.add(place.route)
                $0.add(-Double(running))
                $0.add(now)
            },
            Call(.changeQueue) {
                $0.add(place.queue)
                $0.add(running)
            },
            Call(.changeWindows) {
                $0.add(array: place.windows)
                $0.add(running * Self.money)
                $0.add(settled * Self.money)
            },
            Call(.addTally) {
                $0.add(column: [place.lane, place.lane])
                $0.add(column: opens ? ["queued", "running"] : ["running", "succeeded"])
                $0.add(column: [-count, count])
            },
        ]
    }
}
