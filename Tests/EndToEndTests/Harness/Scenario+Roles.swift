import JSON
import Synchronization
import System
import TestSupport

/// The processes of a deployment.
extension Scenario {
    /// A provider that listens; options by the names of `renga simulate`.
    func simulator(_ options: [String: String] = [:], calendar: Calendar? = nil) async throws -> Simulated {
        let port = try Ports.free()
        let flags = options.sorted { $0.key < $1.key }.flatMap { ["--\($0.key)", $0.value] }
        let variables = ["RENGA_LISTEN": "127.0.0.1:\(port)"].merging(calendar?.variables ?? [:]) { $1 }
        let child = try start(["simulate"] + flags, variables)
        let simulated = Simulated(child: child, client: Client(url: "http://127.0.0.1:\(port)"))
        providers.withLock { $0.append(simulated) }
        try await eventually("the simulator answers") {
            try demand(child.isRunning, "the simulator ended")
            return (try? await simulated.client.call("GET", "/_sim/stats").status) == 200
        }
        return simulated
    }

    /// What `serve` and `work` are told: the provider, the database, and more.
    func variables(_ simulated: Simulated, _ more: [String: String] = [:]) -> [String: String] {
        let common = [
            "ANTHROPIC_API_KEY": "sk-simulated", "ANTHROPIC_BASE_URL": simulated.url,
            "RENGA_DATABASE": database,
        ]
        return common.merging(more) { $1 }
    }

    /// A server that is ready.
    func serve(
        _ simulated: Simulated, _ more: [String: String] = [:], port: Int? = nil, command: String = "serve"
    ) async throws -> Server {
        let port = try port ?? Ports.free()
        var variables = variables(simulated, more)
        variables["RENGA_LISTEN"] = "127.0.0.1:\(port)"
        return try await serve(try start([command], variables), port: port, key: more["RENGA_API_KEY"])
    }

    func serve(_ child: Child, port: Int, key: String? = nil) async throws -> Server {
        let server = Server(
            child: child, port: port, client: Client(url: "http://127.0.0.1:\(port)", key: key))
        try await eventually("the server is ready") {
            try demand(child.isRunning, "the server ended")
            return (try? await server.client.call("GET", "/ready").status) == 200
        }
        return server
    }

    /// Writes `renga.json` and returns its path.
    func configuration(_ json: String) throws -> String {
        let path = folder.path + "/renga.json"
        try writeTestFile(path: path, bytes: Array(json.utf8))
        return path
    }

    func work(_ simulated: Simulated, _ more: [String: String] = [:]) throws -> Child {
        try start(["work"], variables(simulated, more))
    }

    func works(_ count: Int, _ simulated: Simulated, _ more: [String: String] = [:]) throws -> [Child] {
        try (0..<count).map { _ in try work(simulated, more) }
    }
}

/// A running `serve` or `up`.
struct Server: Sendable {
    let child: Child
    let port: Int
    let client: Client

    var url: String { client.url }

    /// One job done, so that the route has answered once: before that, few calls may fly.
    func warmUp() async throws {
        let answer = try await client.post("/v1/jobs?wait=30", #"{"prompt":"Warm up."}"#)
        try demand(
            answer.status == 200 && answer.json?["state"]?.string == "succeeded",
            "\(answer.status) \(answer.text)")
    }

    /// Enqueues so many different prompts, each under its key, and returns their ids.
    @discardableResult
    func enqueue(
        _ count: Int, as name: String = "job", into queue: String = "default", maxTokens: Int = 32,
        prompt: (Int) -> String = { "Say the number \($0)." }
    )
        async throws -> [String]
    {
        var lines: [UInt8] = []
        for index in 1...count {
            var json = JSONWriter()
            json.object { line in
                line.field("custom_id", "\(name)-\(index)")
                line.field("queue", queue)
                line.key("request")
                line.object { request in
                    request.field("max_tokens", maxTokens)
                    request.key("messages")
                    request.array { messages in
                        messages.object { message in
                            message.field("role", "user")
                            message.field("content", prompt(index))
                        }
                    }
                }
            }
            lines += json.bytes + [UInt8(ascii: "\n")]
        }
        let answer = try await client.call(
            "POST", "/v1/jobs/bulk", lines, headers: [("content-type", "application/x-ndjson")])
        let ids = answer.lines.compactMap { $0["id"]?.string }
        try demand(
            answer.status == 200 && ids.count == count,
            "\(ids.count) of \(count) jobs were taken: \(answer.status) \(answer.text.prefix(500))")
        return ids
    }
}
