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
        try await context.fill(store, context.sizes.jobs / 5, for: Sample.service())
        let pace = try await work(claiming, jobs: count)
        await store.close()
        let span = "\(Table.number(pace.span)) s"
        return [
            Figure(
                "claim 100 at a time and settle each on PostgreSQL, \(Table.number(Double(count))) jobs without pause, the last \(span)",
                pace.last, "jobs/s", ceiling: (pace.first, "the first \(span)"), goal: .share(0.8),
                note:
                    "\(Table.number(pace.all)) jobs/s in all; what is done is filled up again, and that is not timed"
            )
        ]
    }

    private struct Pace {
        /// Of the first and the last part, in seconds.
        var span: Double
        var first: Double
        var last: Double
        var all: Double
    }

    /// The backlog stays as it is, so that nothing but what gathers behind it makes a difference.
    private static func work(_ claiming: Claiming, jobs: Int) async throws -> Pace {
        var (done, worked, marks) = (Claiming.Done(), 0.0, [(seconds: 0.0, jobs: 0)])
        while done.jobs < jobs {
            let before = done.jobs
            worked += try await seconds {
                for _ in 0..<5 { _ = try await claiming.turn(&done) }
            }
            guard done.jobs > before else {
                throw BenchmarkError("\(done.jobs) of \(jobs) jobs could be claimed")
            }
            marks.append((worked, done.jobs))
            let more = (1_000_000 + before)..<(1_000_000 + done.jobs)
            let new = try Sample.jobs(more, for: Sample.service())
            _ = try await claiming.store.enqueue(new, atomically: false)
        }
        // A minute, or a fifth of what did not take five.
        let span = min(60, worked / 5)
        let early = marks.last { $0.seconds <= span && $0.jobs > 0 } ?? marks[1]
        let late = marks.last { $0.seconds <= worked - span } ?? marks[0]
        return Pace(
            span: span, first: Double(early.jobs) / early.seconds,
            last: Double(done.jobs - late.jobs) / (worked - late.seconds), all: Double(done.jobs) / worked)
    }
}
