import HTTPClient

/// One upload of very many lines, and the state of the server afterwards.
enum BulkBenchmark: Benchmark {
    static let name = "bulk"
    static let summary = "POST /v1/jobs/bulk in one request, and a start with so many jobs"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let count = context.sizes.lines
        let bare = try BareStore(path: context.database("bare-bulk"), request: Sample.request(count))
        let ceiling = try bare.enqueue(count, perTransaction: 500)
        let path = context.database("bulk")
        let server = try await context.server(database: path)
        let elapsed = try await upload(count, to: server.url)
        let facts = try server.child.facts()
        await server.child.stop()
        let start = try await timeToReady(context, database: path)
        return [
            Figure(
                "POST /v1/jobs/bulk, \(Table.number(Double(count))) lines in one request",
                Double(count) / elapsed, "jobs/s",
                ceiling: (ceiling, "plain SQLite loop, 500 a transaction, no HTTP and no JSON"),
                note:
                    "server's processor time \(Table.number(facts.cpuSeconds / Double(count) * 1e6)) µs a line"
            ),
            Figure("the most memory the server had meanwhile", facts.peakMiB, "MiB"),
            Figure(
                "start of a server to its first 200 on /ready, with those jobs", start, "ms",
                note: "from the start of the process"),
        ]
    }

    /// Seconds from the first byte to the last of the answer, which has a line for each job.
    private static func upload(_ count: Int, to url: String) async throws -> Double {
        var body: [UInt8] = []
        for number in 0..<count {
            body += Sample.body(number)
            body.append(UInt8(ascii: "\n"))
        }
        let request = HTTPRequest(
            url: url + "/v1/jobs/bulk", headers: [("content-type", "application/x-ndjson")], body: body,
            maxResponseBytes: 1 << 30, mayRepeat: false)
        let clock = ContinuousClock()
        let start = clock.now
        let response = try await HTTPClient().send(request)
        let elapsed = (clock.now - start).seconds
        let lines = response.body.count { $0 == UInt8(ascii: "\n") }
        guard response.status == 200, lines == count, response.body.firstRange(of: Array("error".utf8)) == nil
        else { throw BenchmarkError("status \(response.status), \(lines) lines") }
        return elapsed
    }

    /// The middle one of five starts, in milliseconds.
    static func timeToReady(_ context: BenchmarkContext, database: String) async throws -> Double {
        let client = HTTPClient()
        var times: [Double] = []
        for number in 0..<5 {
            let server = try await context.server(database: database, log: "start-\(number)")
            try await context.untilReady(server.url, client: client)
            times.append((ContinuousClock.now - server.child.started).milliseconds)
            await server.child.stop()
        }
        return Latencies(times).percentile(50)
    }
}
