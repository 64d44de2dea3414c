import Glibc
import HTTPClient
import JSON
import Testing

extension Proofs {
    /// Callers who wait for their answers, and what goes wrong meanwhile.
    @Suite struct Interactive {
        private static let rate = ["output-rate": "40", "latency": "10ms", "latency-sigma": "0"]

        private func body(_ prompt: String, streams: Bool = true, maxTokens: Int = 60) -> String {
            #"{"model":"claude-haiku-4-5-20251001","max_tokens":\#(maxTokens),"stream":\#(streams),"messages":[{"role":"user","content":"\#(prompt)"}]}"#
        }

        private func request(_ body: String, _ headers: [String] = []) -> [UInt8] {
            let lines =
                [
                    "POST /v1/messages HTTP/1.1", "host: localhost", "connection: close",
                    "content-length: \(body.utf8.count)",
                ]
                + headers
            return Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
        }

        /// Sends, reads the answer's first bytes, and hangs up.
        private func glimpse(_ server: Server, _ request: [UInt8]) async throws -> String {
            try await offPool { [port = server.port] in
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send(request)
                var seen = ""
                while !seen.contains("content_block_delta") {
                    let piece = connection.receiveSome()
                    guard !piece.isEmpty else { break }
                    seen += piece
                }
                return seen
            }
        }

        @Test(arguments: Engine.all)
        func `A caller who hangs up in the middle leaves a job that finishes, and its record is right`(
            on engine: Engine
        )
            async throws
        {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator(Self.rate)
                let server = try await scenario.serve(simulator)
                let seen = try await glimpse(server, request(body("A long story, please.")))
                try demand(seen.contains("content_block_delta"), "no event came: \(seen)")
                try demand(!seen.contains("message_stop"), "the answer was whole already")
                try await scenario.allFinished(within: .seconds(20))
                let job = try #require(try await server.client.get("/v1/jobs")["data"]?.elements?.first)
                try demand(job["state"]?.string == "succeeded", "the job is \(job["state"]?.string ?? "")")
                try demand(job["usage"]?["output_tokens"]?.int ?? 0 > 20, "its usage is not whole")
                try demand(try await simulator.calls() == 1, "it was called again")
            }
        }

        @Test(arguments: Engine.all)
        func `A server killed in the middle leaves its job to a worker, and the key brings its answer`(
            on engine: Engine
        )
            async throws
        {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator(Self.rate)
                let server = try await scenario.serve(simulator, ["RENGA_LEASE": "2s"])
                _ = try scenario.work(simulator, ["RENGA_LEASE": "2s"])
                let key = ["idempotency-key: story-1"]
                let seen = try await glimpse(server, request(body("A long story, please."), key))
                try demand(seen.contains("content_block_delta"), "no event came: \(seen)")
                await server.child.killAndWait()
                let again = try await scenario.serve(simulator, ["RENGA_LEASE": "2s"])
                let answer = try await RawConnection.exchange(
                    again.port, request(body("A long story, please."), key))
                try demand(answer.hasPrefix("HTTP/1.1 200"), "\(answer.prefix(400))")
                try demand(
                    answer.contains("event: message_stop"), "the stream is not whole: \(answer.suffix(400))")
                let replay = try await RawConnection.exchange(
                    again.port, request(body("A long story, please."), key)
                ).lowercased()
                try demand(
                    replay.contains("idempotent-replayed: true")
                        && replay.contains("x-renga-cost-usd: 0.000000"),
                    "it does not say that it is paid for: \(replay.prefix(600))")
                let jobs = try await again.client.get("/v1/jobs")["data"]?.elements ?? []
                try demand(jobs.count == 1, "\(jobs.count) jobs were made of one call")
                let calls = try await simulator.calls()
                Figures.print(
                    "the server killed in mid-stream", ["jobs": "\(jobs.count)", "calls": "\(calls)"])
                try demand(calls <= 2, "\(calls) calls were made")
            }
        }

        @Test(arguments: ["truncate", "early-end", "error-event", "malformed"])
        func `An upstream that breaks off is said as an error, never as a clean early end`(_ fault: String)
            async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(Self.rate)
                let server = try await scenario.serve(simulator)
                let text = body("[[sim:\(fault)]] A long story, please.")
                let answer = try await RawConnection.exchange(server.port, request(text))
                try demand(!answer.contains("event: message_stop"), "it looks whole: \(answer.suffix(400))")
                try demand(
                    !answer.contains("invalid_request_error"), "the simulator was asked wrongly: \(answer)")
                let isSaid = answer.contains("event: error") || !answer.hasPrefix("HTTP/1.1 200")
                try demand(isSaid, "nothing is said of it: \(answer.suffix(400))")
                try await scenario.allFinished(within: .seconds(60))
                let job = try #require(try await server.client.get("/v1/jobs")["data"]?.elements?.first)
                try demand(job["state"]?.string == "failed", "the job is \(job["state"]?.string ?? "")")
                if answer.contains("content_block_delta") {
                    try demand(
                        try await simulator.calls() == 1, "a second answer was paid for, and nobody had it")
                }
            }
        }

        @Test func `A long plain call whose stream breaks is made again, as nobody had a part of it`()
            async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator, ["RENGA_BACKOFF_BASE": "10ms"])
                let text = body(
                    "[[sim:output=200;truncate;times=1]] A long story.", streams: false, maxTokens: 5_000)
                let answer = try await server.client.call("POST", "/v1/messages", Array(text.utf8))
                try demand(answer.status == 200, "\(answer.status) \(answer.text)")
                try demand(answer.headers["x-renga-attempt"] == "2", "it is not the second attempt's answer")
            }
        }

        @Test(.disabled(if: Form.watchesThreads, "600,000 events take so long that callers are sent away"))
        func `A reader who stops reading holds up nobody`() async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(["answer-tokens": "30000"])
                let server = try await scenario.serve(simulator)
                let before = try server.child.residentBytes()
                let readers = try await offPool { [port = server.port] in
                    try (0..<20).map { _ in try RawConnection(port: port) }
                }
                defer { for reader in readers { reader.close() } }
                for (index, reader) in readers.enumerated() {
                    reader.send(request(body("[[sim:output=30000]] Tell of \(index).", maxTokens: 30_000)))
                }
                try await eventually("every answer is in the record", within: .seconds(60)) {
                    try await scenario.record.count(of: "succeeded") == 20
                }
                let answer = try await server.client.call(
                    "POST", "/v1/messages", Array(body("Quick.", streams: false).utf8))
                try demand(answer.status == 200, "others wait for them: \(answer.status)")
                let grown = try server.child.residentBytes() - before
                Figures.print(
                    "20 readers who do not read", ["memory grown by": "\(grown >> 20) MiB"])
                try demandPace(grown < 200 << 20, "memory grew by \(grown >> 20) MiB")
            }
        }

        @Test(arguments: Engine.all) func `A call whose turn does not come is told when to come back`(
            on engine: Engine
        ) async throws {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator(["latency": "0"])
                let server = try await scenario.serve(
                    simulator, ["RENGA_RPM": "2", "RENGA_INTERACTIVE_WAIT": "5s"])
                var refused: Client.Answer?
                for index in 0..<4 where refused == nil {
                    let text = body("Call \(index).", streams: false)
                    let answer = try await server.client.call("POST", "/v1/messages", Array(text.utf8))
                    if answer.status == 429 { refused = answer }
                }
                let answer = try #require(refused)
                let wait = try #require(answer.headers["retry-after"].flatMap { Int($0) })
                try demand((1...60).contains(wait), "retry-after is \(wait)")
                try demand(answer.text.contains("rate_limit_error"), answer.text)
                try demand(answer.text.contains("requests per minute"), "it does not say why: \(answer.text)")
                try demand(try await scenario.record.count(of: "cancelled") == 1, "the job is still in line")
            }
        }

        @Test func `What an empty budget holds is said at once`() async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator, ["RENGA_DAILY_BUDGET_USD": "0.0006"])
                let text = body("Call.", streams: false)
                let first = try await server.client.call("POST", "/v1/messages", Array(text.utf8))
                try demand(first.status == 200, "\(first.status) \(first.text)")
                let start = ContinuousClock.now
                let second = try await server.client.call("POST", "/v1/messages", Array(text.utf8))
                try demand(second.status == 429, "\(second.status) \(second.text)")
                try demand(second.headers["x-should-retry"] == "false", "it asks to be called again")
                try demand(second.text.contains("budget"), "it does not say why: \(second.text)")
                try demandPace(
                    (ContinuousClock.now - start).seconds < 10,
                    "it took \((ContinuousClock.now - start).seconds) s")
            }
        }
    }
}
