import HTTPClient
import JobStoreSQLite
import Jobs

/// An interactive call beside an untouched backlog, under limits of several sizes.
enum CallsBenchmark: Benchmark {
    static let name = "calls"
    static let summary = "an interactive call beside a backlog, at three limits, beside the same without"

    private static let limits = [4_000, 1_000_000, 10_000_000]

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let simulator = try await context.simulator(latency: "0")
        var figures: [Figure] = []
        for limit in limits {
            let alone = try await Caller(context, "calls-\(limit)", backlog: 0, limit, simulator.url)
            let beside = try await Caller(
                context, "calls-beside-\(limit)", backlog: context.sizes.backlog, limit, simulator.url)
            // In turns, so that what the disk and the machine were like counts for both.
            for number in 0..<context.sizes.claims {
                for caller in [alone, beside] { try await caller.call(number) }
            }
            for caller in [alone, beside] { await caller.server.stop() }
            figures.append(
                Figure(
                    "an interactive call beside \(Table.number(Double(context.sizes.backlog))) jobs, "
                        + "limit \(Table.number(Double(limit))) a minute, median, relative",
                    beside.latencies.percentile(50) / alone.latencies.percentile(50), "×",
                    note: "\(beside.latencies.text); without \(alone.latencies.text); promised: at most 1.2"))
        }
        await simulator.child.stop()
        return figures
    }
}

/// One server and the times that calls to it took.
private final class Caller {
    let server: Child
    private let url: String
    private let client = HTTPClient()
    private var times: [Double] = []

    var latencies: Latencies { Latencies(times) }

    init(_ context: BenchmarkContext, _ name: String, backlog: Int, _ limit: Int, _ provider: String)
        async throws
    {
        let store = try await SQLiteJobStore(path: context.database(name), clock: MachineClock())
        try await context.fill(store, backlog, for: Sample.service(at: provider))
        await store.close()
        (server, url) = try await context.server(
            database: context.database(name), provider: provider, log: name,
            environment: ["RENGA_RPM": String(limit)])
        // The first answers teach the route.
        for number in 0..<20 { try await call(-1 - number) }
        times = []
    }

    func call(_ number: Int) async throws {
        let body = Array(
            #"{"model":"\#(Sample.model)","max_tokens":8,"messages":[{"role":"user","content":"call \#(number)"}]}"#
                .utf8)
        let start = ContinuousClock.now
        let response = try await client.send(
            HTTPRequest(url: url + "/v1/messages", body: body, mayRepeat: false))
        times.append((ContinuousClock.now - start).milliseconds)
        guard response.status == 200 else {
            throw BenchmarkError(
                "status \(response.status): \(String(decoding: response.body, as: UTF8.self))")
        }
    }
}
