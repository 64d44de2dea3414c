import HTTPClient
import JSON
import Jobs

/// What people and dashboards ask of a `FinishedJobs` beside as many queued jobs, each question some times.
struct Queries {
    private(set) var times: [String: [Double]] = [:]

    private static let rounds = 20

    static func take(at url: String, now: Timestamp) async throws -> Queries {
        let client = HTTPClient()
        var queries = Queries()
        var paths = Self.paths(now: now)
        for path in Self.turned { paths.append(try await next(after: path, url, client)) }
        for _ in 0..<rounds {
            for path in paths {
                let start = ContinuousClock.now
                _ = try await get(path, url, client)
                queries.times[path, default: []].append((ContinuousClock.now - start).milliseconds)
            }
        }
        for (path, latencies) in queries.byPath { note("  \(path): \(latencies.text)") }
        return queries
    }

    var all: Latencies { Latencies(times.values.flatMap { $0 }) }

    /// The slowest first.
    private var byPath: [(path: String, latencies: Latencies)] {
        times.map { ($0, Latencies($1)) }.sorted { $0.latencies.percentile(99) > $1.latencies.percentile(99) }
    }

    var text: String {
        let slowest = byPath.first.map { "slowest `\($0.path)`: \($0.latencies.text)" } ?? ""
        return "\(times.count) requests, each \(Self.rounds) times; \(all.text); \(slowest)"
    }

    private static func get(_ path: String, _ url: String, _ client: HTTPClient) async throws -> [UInt8] {
        let answer = try await client.send(HTTPRequest(method: "GET", url: url + path))
        guard answer.status == 200 else { throw BenchmarkError("\(path): \(answer.status)") }
        return answer.body
    }

    private static func next(after path: String, _ url: String, _ client: HTTPClient) async throws -> String {
        guard let cursor = try JSON.parse(try await get(path, url, client))["next_cursor"]?.string else {
            throw BenchmarkError("\(path) has one page only")
        }
        return "\(path)&cursor=\(cursor)"
    }

    /// Lists whose second page is asked for as well.
    private static let turned = [
        "/v1/jobs?limit=50", "/v1/jobs?limit=50&state=succeeded", "/v1/jobs?limit=50&queue=second",
        "/v1/jobs?limit=50&tag=common", "/v1/jobs?limit=50&state=failed",
    ]

    private static func paths(now: Timestamp) -> [String] {
        let rare = FinishedJobs.Rare.self
        // Among the copies of finished jobs, which are older the more there are; the rare ones are older still.
        let (early, late) = ((now + -60 * 60_000).text, (now + -5 * 60_000).text)
        let lists = [
            "", "state=queued", "state=running", "state=succeeded", "state=failed", "queue=bench",
            "queue=second",
            "queue=\(rare.name)", "queue=second&state=succeeded", "queue=\(rare.name)&state=queued",
            "model=\(Sample.model)", "model=\(rare.model)", "model=\(Sample.model)&state=failed", "tag=none",
            "tag=\(rare.name)", "tag=common", "tag=common&state=succeeded", "tag=common&state=queued",
            "tag=common&state=failed", "tag=common&queue=second", "batch_id=crowd",
            "batch_id=crowd&state=failed", "custom_id=none", "error_type=invalid_request_error",
            "error_type=\(rare.errorType)", "created_before=2020-01-01T00:00:00Z",
            "created_after=\(early)&created_before=\(late)", "created_before=\(early)&state=failed",
            "created_before=\(early)&queue=second", "state=succeeded&include=request,response",
        ]
        return lists.map { "/v1/jobs?limit=50" + ($0.isEmpty ? "" : "&" + $0) } + [
            "/v1/stats", "/v1/stats?by=model,queue,tag,day", "/v1/results?queue=\(rare.name)",
            "/v1/results?queue=none", "/v1/results?after=\(now.milliseconds << 20)", "/v1/queues",
            "/v1/routes",
            "/v1/events", "/v1/jobs/batches", "/metrics",
        ]
    }
}
