import HTTPClient
import JSON

/// `renga serve` under load of small requests: 64 connections, each request answered before the next.
enum ServerBenchmark: Benchmark {
    static let name = "serve"
    static let summary = "POST and GET of single jobs over HTTP"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let bare = try await bareServer(context)
        let barePost = try await post(context, at: bare.url)
        let bareGet = try await get(context, at: bare.url, ids: (1...500).map { "\($0)" })
        await bare.child.stop()

        let server = try await context.server(database: context.database("serve"))
        let start = try server.child.facts()
        let post = try await post(context, at: server.url)
        let between = try server.child.facts()
        let get = try await get(context, at: server.url, ids: ids(at: server.url))
        let end = try server.child.facts()
        await server.child.stop()
        return [
            figure(
                "POST /v1/jobs, one job each, 64 connections, on disk before each 202", post, barePost,
                "the same server and load, a row for each, commits shared",
                serverCPU: between.cpuSeconds - start.cpuSeconds),
            figure(
                "GET /v1/jobs/{id}, 64 connections", get, bareGet,
                "the same server and load, one indexed read for each",
                serverCPU: end.cpuSeconds - between.cpuSeconds),
            Figure("memory of the server after this", end.residentMiB, "MiB", note: "idle before: see below"),
        ]
    }

    private static func figure(
        _ what: String, _ result: Load.Result, _ bare: Load.Result, _ ceiling: String, serverCPU: Double
    ) -> Figure {
        let server = Table.number(serverCPU / Double(result.count) * 1e6)
        let client = Table.number(result.cpuSeconds / Double(result.count) * 1e6)
        return Figure(
            what, result.rate, "requests/s",
            ceiling: (bare.rate, ceiling),
            note: "\(result.latencies.text); processor time for each: server \(server) µs, load \(client) µs")
    }

    private static func bareServer(_ context: BenchmarkContext) async throws -> (child: Child, url: String) {
        let child = try context.helper(["serve", context.database("bare-serve")], log: "bare-serve")
        let port = try await child.line(with: "port").split(separator: " ").last ?? ""
        return (child, "http://127.0.0.1:\(port)")
    }

    private static func post(_ context: BenchmarkContext, at url: String) async throws -> Load.Result {
        try await Load(seconds: context.sizes.load, expecting: 202).run { number in
            HTTPRequest(url: url + "/v1/jobs", body: Sample.body(number), mayRepeat: false)
        }
    }

    private static func get(_ context: BenchmarkContext, at url: String, ids: [String]) async throws
        -> Load.Result
    {
        try await Load(seconds: context.sizes.load, expecting: 200).run { number in
            HTTPRequest(method: "GET", url: "\(url)/v1/jobs/\(ids[number % ids.count])")
        }
    }

    private static func ids(at url: String) async throws -> [String] {
        let page = try await HTTPClient().send(HTTPRequest(method: "GET", url: url + "/v1/jobs?limit=500"))
        let ids = try JSON.parse(page.body)["data"]?.elements?.compactMap { $0["id"]?.string } ?? []
        guard !ids.isEmpty else {
            throw BenchmarkError("no jobs: \(String(decoding: page.body, as: UTF8.self))")
        }
        return ids
    }
}
