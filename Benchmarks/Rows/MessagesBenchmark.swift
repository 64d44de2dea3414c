import HTTPClient

/// Interactive calls: each a job, entered and settled on disk before its answer is sent.
enum MessagesBenchmark: Benchmark {
    static let name = "messages"
    static let summary = "POST /v1/messages, upstream without delay, beside a relay that records nothing"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let simulator = try await context.simulator(latency: "0")
        let relay = try context.helper(["relay", simulator.url], log: "relay")
        let port = try await relay.line(with: "port").split(separator: " ").last ?? ""
        let server = try await context.server(database: context.database("messages"), provider: simulator.url)
        var figures: [Figure] = []
        for connections in [1, 32, 256] {
            let bare = try await load(context, "http://127.0.0.1:\(port)", connections)
            let start = try server.child.facts().cpuSeconds
            let result = try await load(context, server.url, connections)
            let cpu = try server.child.facts().cpuSeconds - start
            let each = Table.number(cpu / Double(result.count) * 1e6)
            figures.append(
                Figure(
                    "POST /v1/messages, \(connections) connections, on disk before each answer", result.rate,
                    "requests/s", ceiling: (bare.rate, "a relay of the same server and client"),
                    note: "\(result.latencies.text); the relay \(bare.latencies.text); server \(each) µs each"
                ))
        }
        figures.append(Figure("memory of the server after this", try server.child.facts().residentMiB, "MiB"))
        for child in [server.child, relay, simulator.child] { await child.stop() }
        return figures
    }

    static func load(_ context: BenchmarkContext, _ url: String, _ connections: Int) async throws
        -> Load.Result
    {
        try await Load(seconds: context.sizes.load, expecting: 200, connections: connections).run { number in
            HTTPRequest(url: url + "/v1/messages", body: body(number), mayRepeat: false)
        }
    }

    /// About 500 bytes, each prompt another.
    private static func body(_ number: Int) -> [UInt8] {
        let text = "Number \(number): " + String(repeating: "sort this ticket. ", count: 20)
        return Array(
            #"{"model":"claude-haiku-4-5-20251001","max_tokens":8,"messages":[{"role":"user","content":"\#(text)"}]}"#
                .utf8)
    }
}
