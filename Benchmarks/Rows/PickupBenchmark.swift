import HTTPClient
import HTTPServer
import Jobs

/// How soon an idle worker takes up what another process has enqueued.
///
/// This process enqueues and is the upstream too, so that both moments are read off one clock.
enum PickupBenchmark: Benchmark {
    static let name = "pickup"
    static let summary = "from the commit in one process to the call upstream from another"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let database = context.database("pickup")
        let store = try await openStore(database)
        let figures = try await measure(context, database, store, hearing: store)
        await store.close()
        return figures
    }

    /// `hearing` is told of changes that `store` makes: another one of the same database, if the one tells itself before all others.
    static func measure(
        _ context: BenchmarkContext, _ database: String, _ store: any WholeStore,
        hearing: any WholeStore, goals: (p50: Figure.Goal?, p99: Figure.Goal?) = (nil, nil)
    ) async throws -> [Figure] {
        let upstream = Upstream()
        upstream.end(after: .seconds(120))
        let server = HTTPServer(handler: upstream)
        try server.start()
        let url = "http://127.0.0.1:\(server.port)"
        let heard = try await heard(store, hearing, url)
        let call = try await bareCalls(to: url, upstream)
        let worker = try context.worker(database: database, provider: url, slots: 40)
        var arrivals = upstream.arrivals.makeAsyncIterator()
        let first = await arrivals.next()
        let start = first.map { ($0 - worker.started).milliseconds } ?? 0
        var latencies: [Double] = []
        // What was enqueued to listen for commits is done first.
        for _ in 1..<heard.count { _ = await arrivals.next() }
        for number in 0..<context.sizes.pickups {
            try await Task.sleep(for: .milliseconds(.random(in: 20...60)))
            let job = try Sample.job(1_000_000 + number, for: Sample.service(at: url))
            _ = try await store.enqueue([job], atomically: true)
            let committed = ContinuousClock.now
            guard let arrived = await arrivals.next() else {
                throw BenchmarkError(
                    "a job was never called; the worker says:\n\(worker.output.suffix(2_000))")
            }
            latencies.append((arrived - committed).milliseconds)
        }
        await worker.stop()
        await server.stop()
        return figures(
            Latencies(latencies), start: start, floor: heard.percentile(50) + call.percentile(50), goals)
    }

    private static func figures(
        _ latencies: Latencies, start: Double, floor: Double,
        _ goals: (p50: Figure.Goal?, p99: Figure.Goal?)
    ) -> [Figure] {
        [
            Figure(
                "pickup by another process, from the enqueue's return to the call's arrival: p50",
                latencies.percentile(50), "ms",
                ceiling: (floor, "p50 of hearing of a commit + p50 of a call over a kept connection"),
                goal: goals.p50,
                note:
                    "\(latencies.count) jobs, 20–60 ms apart, worst \(Table.number(latencies.percentile(100))) ms"
            ),
            Figure("the same: p99", latencies.percentile(99), "ms", goal: goals.p99),
            Figure("start of a worker to its first call upstream, jobs waiting", start, "ms"),
        ]
    }

    /// How long after an enqueue's return a change is heard of, without a worker.
    private static func heard(_ store: any WholeStore, _ hearing: any WholeStore, _ url: String)
        async throws
        -> Latencies
    {
        var times: [Double] = []
        for number in 0..<50 {
            try await Task.sleep(for: .milliseconds(10))
            let changes = hearing.changes()
            let job = try Sample.job(number, for: Sample.service(at: url))
            _ = try await store.enqueue([job], atomically: true)
            let committed = ContinuousClock.now
            for await _ in changes { break }
            times.append((ContinuousClock.now - committed).milliseconds)
        }
        return Latencies(times)
    }

    /// From sending a request to its arrival at the handler.
    private static func bareCalls(to url: String, _ upstream: Upstream) async throws -> Latencies {
        let client = HTTPClient()
        var arrivals = upstream.arrivals.makeAsyncIterator()
        var times: [Double] = []
        for number in 0..<50 {
            let sent = ContinuousClock.now
            async let response = client.send(HTTPRequest(url: url, body: Sample.request(number)))
            if let arrived = await arrivals.next() { times.append((arrived - sent).milliseconds) }
            _ = try await response
        }
        return Latencies(times)
    }
}

/// Answers every call with a Message at once, and tells when its headers had come.
private final class Upstream: PlainHandler {
    let arrivals: AsyncStream<ContinuousClock.Instant>
    private let continuation: AsyncStream<ContinuousClock.Instant>.Continuation

    init() {
        (arrivals, continuation) = AsyncStream.makeStream(of: ContinuousClock.Instant.self)
    }

    /// The wait for a call that does not come has an end.
    func end(after limit: Duration) {
        Task {
            try await Task.sleep(for: limit)
            continuation.finish()
        }
    }

    func policy(for head: RequestHead) -> BodyPolicy {
        continuation.yield(.now)
        return .collect(limit: 1 << 20)
    }

    func respond(to request: Request) async -> Response {
        Response(contentType: "application/json", bytes: Sample.answer)
    }
}
