import HTTPClient
import JSON
import System
import Testing

extension Proofs {
    /// What strangers send: each gets its answer, and the server is none the worse for it.
    @Suite struct BadInput {
        @Test func `Bad input gets the right answer, and leaves nothing behind`() async throws {
            raiseFileLimit()
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator, ["RENGA_API_KEY": "sesame"])
                let strangers = Strangers(server: server)
                for _ in 0..<Form.pick(short: 2, long: 20) { try await strangers.round() }
                try await strangers.haveLeft(most: 100)
                let files = try server.child.descriptors()
                // Caches, pools and tables that stay fill at first: what leaks grows for ever.
                var memory = [try server.child.residentBytes()]
                let rounds = Form.pick(short: 2, long: 10)
                repeat {
                    for _ in 0..<rounds { try await strangers.round() }
                    try await strangers.haveLeft(most: files + 2)
                    memory.append(try server.child.residentBytes())
                } while memory.growth > 6 << 20 && memory.count < 8
                let answer = try await server.client.call("GET", "/ready")
                Figures.print(
                    "8 bad input",
                    [
                        "kinds of bad input": "\(BadRequest.all.count + RawRequest.all.count + 7)",
                        "rounds at a time": "\(rounds)",
                        "memory after each, MiB": memory.map { "\($0 >> 20)" }.joined(separator: ", "),
                        "descriptors before": "\(files)", "after": "\(try server.child.descriptors())",
                    ])
                try demand(answer.status == 200, "the server is not ready any more: \(answer.text)")
                try demandPace(memory.growth <= 6 << 20, "memory does not level off: \(memory) bytes")
            }
        }
    }
}

extension [Int] {
    /// From the last but one to the last.
    fileprivate var growth: Int { self[count - 1] - self[count - 2] }
}

/// All the strangers there are, one after the other.
private struct Strangers {
    let server: Server
    private var client: Client { server.client }
    private var port: Int { server.port }

    init(server: Server) { self.server = server }

    func round() async throws {
        for request in BadRequest.all { try await send(request) }
        try await rawRequests()
        try await keys()
        try await brokenLines()
        try await cutUpload(
            named: "by idempotency key",
            headers: [("idempotency-key", "up-\(UInt32.random(in: 0...(.max)))")], hasKeys: false)
        try await cutUpload(named: "by keys", headers: [], hasKeys: true)
        try await hangUps()
        try await idlers()
    }

    /// Connections end a little after their clients.
    func haveLeft(most: Int) async throws {
        try await eventually("the descriptors of those who left are closed", every: .milliseconds(200)) {
            try server.child.descriptors() <= most
        }
    }

    private func send(_ request: BadRequest) async throws {
        let answer = try await client.call(request.method, request.path, request.body)
        try demand(
            answer.status == request.status && request.says.allSatisfy(answer.text.contains),
            "\(request.name): \(answer.status) \(answer.text.prefix(600)); expected \(request.status) and \(request.says)"
        )
        try demand(
            answer.headers["content-type"] == "application/problem+json"
                && answer.headers["request-id"] != nil,
            "\(request.name): not a problem with a request id")
    }

    /// All of them, so that one says nothing of the others.
    private func rawRequests() async throws {
        var reasons: [String] = []
        for request in RawRequest.all {
            do { try await send(request) } catch { reasons.append("\(error)") }
        }
        try demand(reasons.isEmpty, reasons.joined(separator: "\n"))
        try await isAlive("after raw requests")
    }

    private func send(_ request: RawRequest) async throws {
        let name = "next-\(UInt64.random(in: 0...(.max)))"
        let text = try await request.talk(to: port, nextMakes: name)
        let answers = try RawAnswer.all(in: text)
        let isAnswered = request.next == .answered || request.next == .answeredToHalfClosed
        let expected = request.answers + (isAnswered ? [202] : [])
        try demand(
            answers.map(\.status) == expected || request.mayLoseAnswer && answers.isEmpty,
            "\(request.name): \(answers.map(\.status)), expected \(expected): “\(text.prefix(600))”")
        let isProblem = answers.allSatisfy { $0.status < 400 || $0.isProblem }
        try demand(
            isProblem || request.speaker == .library, "\(request.name): no problem: “\(text.prefix(600))”")
        let jobs = try await client.get("/v1/jobs?custom_id=\(name)")["data"]?.elements?.count
        try demand(
            jobs == (isAnswered ? 1 : 0),
            "\(request.name): the next request made \(jobs.map(String.init) ?? "?") jobs")
    }

    private func keys() async throws {
        for key in [nil, "open", ""] {
            let answer = try await Client(url: client.url, key: key).call("GET", "/v1/stats")
            try demand(
                answer.status == 401 && answer.text.contains("x-api-key"),
                "key \(key ?? "missing"): \(answer.status) \(answer.text)")
        }
        let open = try await Client(url: client.url).call("GET", "/health")
        try demand(open.status == 200, "/health wants a key: \(open.status)")
    }

    private static let ndjson = ("content-type", "application/x-ndjson")

    private func brokenLines() async throws {
        let lines = (1...200).map { $0 % 10 == 0 ? #"{"prompt": oops}"# : #"{"prompt":"Line \#($0)"}"# }
        let body = Array(lines.joined(separator: "\n").utf8)
        let answer = try await client.call("POST", "/v1/jobs/bulk", body, headers: [Self.ndjson])
        let answers = answer.lines
        try demand(
            answer.status == 200 && answers.count == 200,
            "\(answer.status), \(answers.count) answers for 200 lines")
        for (index, line) in answers.enumerated() {
            let isBroken = (index + 1) % 10 == 0
            try demand(
                (line["error"] != nil) == isBroken && (line["id"] != nil) != isBroken,
                "line \(index + 1) got the wrong answer")
        }
    }

    /// The connection dies in the middle of the upload; the same upload again doubles nothing.
    private func cutUpload(named name: String, headers: [(String, String)], hasKeys: Bool) async throws {
        let run = UInt32.random(in: 0...(.max))
        let count = 1200
        let lines = (1...count).map { index in
            let key = hasKeys ? #""custom_id":"cut-\#(run)-\#(index)","# : ""
            return #"{\#(key)"tags":["cut-\#(run)"],"prompt":"Cut \#(run) \#(index)"}"#
        }
        let body = Array(lines.joined(separator: "\n").utf8)
        let head =
            (headers + [
                Self.ndjson, ("host", "x"), ("x-api-key", "sesame"), ("content-length", "\(body.count)"),
            ])
            .map { "\($0.0): \($0.1)\r\n" }.joined()
        let port = port
        try await offPool {
            let connection = try RawConnection(port: port)
            connection.send("POST /v1/jobs/bulk HTTP/1.1\r\n\(head)\r\n")
            connection.send(Array(body.prefix(body.count * 2 / 3)))
            connection.close()
        }
        for _ in 0..<2 {
            let answer = try await client.call(
                "POST", "/v1/jobs/bulk", body, headers: headers + [Self.ndjson])
            let ids = Set(answer.lines.compactMap { $0["id"]?.string })
            try demand(
                answer.status == 200 && ids.count == count,
                "\(name): \(answer.status), \(ids.count) ids for \(count) lines")
        }
        let listed = try await list("tag=cut-\(run)")
        try demand(listed == count, "\(name): \(listed) jobs for \(count) lines")
    }

    private func list(_ filter: String) async throws -> Int {
        var (count, cursor) = (0, "")
        while true {
            let page = try await client.get("/v1/jobs?limit=500&\(filter)\(cursor)")
            count += page["data"]?.elements?.count ?? 0
            guard let next = page["next_cursor"]?.string else { return count }
            cursor = "&cursor=\(next)"
        }
    }

    /// Clients that leave in the middle of their headers, of their body, and of the answer.
    private func hangUps() async throws {
        let key = "host: x\r\nx-api-key: sesame\r\n"
        let beginnings = [
            "POST /v1/jobs HTT",
            "POST /v1/jobs HTTP/1.1\r\n\(key)content-length: 1000\r\n\r\n{\"prompt\":\"x",
            "GET /v1/results HTTP/1.1\r\n\(key)\r\n",
            "POST /v1/jobs?wait=30 HTTP/1.1\r\n\(key)content-length: 14\r\n\r\n{\"prompt\":\"x\"}",
        ]
        let port = port
        try await offPool {
            for beginning in beginnings {
                for _ in 0..<10 {
                    let connection = try RawConnection(port: port)
                    connection.send(beginning)
                    connection.close()
                }
            }
        }
        try await isAlive("after clients hung up")
    }

    private func idlers() async throws {
        let port = port
        let connections = try await offPool { try (0..<1500).map { _ in try RawConnection(port: port) } }
        defer { for connection in connections { connection.close() } }
        try await isAlive("beside 1,500 idle connections")
    }

    private func isAlive(_ when: String) async throws {
        let start = ContinuousClock.now
        let answer = try await client.call("GET", "/v1/stats", within: 20)
        let seconds = (ContinuousClock.now - start).seconds
        try demand(answer.status == 200, "\(when): \(answer.status)")
        try demandPace(seconds < 10, "\(when): answered after \(seconds.text()) s")
    }
}
