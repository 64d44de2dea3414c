import JobStorePostgres
import Jobs

/// Whether PostgreSQL stays quick while a million jobs are claimed and settled without a pause, and dead rows gather behind them.
enum PostgresEnduranceBenchmark: Benchmark {
    static let name = "postgres-endurance"
    static let summary = "a million jobs on PostgreSQL without pause, the last minute beside the first"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let count = context.sizes.bystanders
        let place = try await context.postgres.preparedDatabase()
        let store = try await place.openStore()
        let claiming = try await Claiming(store, limits: PostgresServer.limits)
        let waiting = try await store.enqueue([try Sample.job(-2, for: Sample.service())], atomically: true)
        guard let job = waiting.first?.id else { throw BenchmarkError("no job was taken in") }
        let copying = try PostgresCopies(place)
        try copying.queue(count, like: job)
        try copying.settleDown()
        let pace = try await work(claiming, jobs: count)
        await store.close()
        let span = "\(Table.number(pace.span)) s"
        return [
            Figure(
                "claim 100 at a time and settle each on PostgreSQL, \(Table.number(Double(count))) jobs without pause, the last \(span)",
                pace.last, "jobs/s", ceiling: (pace.first, "the first \(span)"), goal: .share(0.8),
                note: "all of them \(Table.number(pace.all)) jobs/s")
        ]
    }

    private struct Pace {
        /// Of the first and the last part, in seconds.
        var span: Double
        var first: Double
        var last: Double
        var all: Double
    }

    private static func work(_ claiming: Claiming, jobs: Int) async throws -> Pace {
        let start = ContinuousClock.now
        var (done, marks) = (Claiming.Done(), [(seconds: 0.0, jobs: 0)])
        while done.jobs < jobs {
            guard try await claiming.turn(&done) > 0 else {
                throw BenchmarkError("\(done.jobs) of \(jobs) jobs could be claimed")
            }
            marks.append(((ContinuousClock.now - start).seconds, done.jobs))
        }
        let end = (ContinuousClock.now - start).seconds
        // A minute, or a fifth of what did not take five.
        let span = min(60, end / 5)
        let early = marks.last { $0.seconds <= span } ?? marks[0]
        let late = marks.last { $0.seconds <= end - span } ?? marks[0]
        return Pace(
            span: span, first: Double(early.jobs) / max(early.seconds, 0.001),
            last: Double(done.jobs - late.jobs) / (end - late.seconds), all: Double(done.jobs) / end)
    }
}
