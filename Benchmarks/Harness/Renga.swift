import HTTPClient
import JSON

/// `renga` as its users run it.
extension BenchmarkContext {
    /// A program of renga's, by the words of its command line.
    func renga(_ arguments: [String], log: String, environment: [String: String] = [:]) throws -> Child {
        try children.start(
            programs + "/renga", arguments, environment: environment, log: "\(scratch)/\(log).log")
    }

    /// `renga serve`, and where it listens; if no provider is given, what it would call does not exist.
    func server(
        database: String, provider: String = "http://127.0.0.1:1", log: String = "serve",
        environment: [String: String] = [:]
    ) async throws -> (child: Child, url: String) {
        let child = try renga(
            ["serve", "--listen", "127.0.0.1:0", "--database", database], log: log,
            environment: Self.provider(at: provider).merging(environment) { $1 })
        return (child, try await Self.url(in: child.line(with: "api listens")))
    }

    func worker(database: String, provider: String, slots: Int, log: String = "work") throws -> Child {
        try renga(
            ["work", "--database", database, "--concurrency", "\(slots)"], log: log,
            environment: Self.provider(at: provider))
    }

    func simulator(latency: String, requestsPerMinute: Int = 0) async throws -> (child: Child, url: String) {
        let child = try renga(
            [
                "simulate", "--listen", "127.0.0.1:0", "--latency", latency, "--latency-sigma", "0",
                "--rpm", "\(requestsPerMinute)",
            ],
            log: "simulate")
        return (child, try await Self.url(in: child.line(with: "simulator listens")))
    }

    /// This program again, in another role.
    func helper(_ arguments: [String], log: String) throws -> Child {
        try children.start(
            programs + "/renga-bench", [Helper.word] + arguments, log: "\(scratch)/\(log).log")
    }

    private static func provider(at url: String) -> [String: String] {
        ["ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "none-needed"]
    }

    /// Out of a line of the log.
    private static func url(in line: String) throws -> String {
        guard let url = try JSON.parse(Array(line.utf8))["url"]?.string else {
            throw BenchmarkError("no url in \(line)")
        }
        return url
    }

    /// Returns at the first 200 of `GET /ready`; asks every two milliseconds.
    func untilReady(_ url: String, client: HTTPClient) async throws {
        let request = HTTPRequest(
            method: "GET", url: url + "/ready", timeouts: .init(connect: 1, write: 1, idle: 5, call: 20))
        for _ in 0..<5_000 {
            // Not there yet: asking again is the point.
            if let response = try? await client.send(request), response.status == 200 { return }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw BenchmarkError("\(url) never got ready")
    }
}
