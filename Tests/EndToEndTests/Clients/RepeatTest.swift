import JSON
import Testing

extension Proofs {
    /// SDKs that repeat their calls, and callers who wait for a provider that is down.
    @Suite struct Repeats {
        private func request(
            _ prompt: String, _ headers: [String: String], streams: Bool = false
        ) -> [UInt8] {
            let body =
                #"{"model":"claude-haiku-4-5-20251001","max_tokens":60,"stream":\#(streams),"messages":[{"role":"user","content":"\#(prompt)"}]}"#
            let lines =
                [
                    "POST /v1/messages HTTP/1.1", "host: 127.0.0.1", "connection: close",
                    "content-length: \(body.utf8.count)",
                ]
                + headers.map { "\($0.key): \($0.value)" }
            return Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
        }

        /// Sends, waits for the provider to be asked, and hangs up without an answer.
        private func giveUp(_ server: Server, _ simulator: Simulated, _ request: [UInt8]) async throws {
            let connection = try RawConnection(port: server.port)
            defer { connection.close() }
            connection.send(request)
            try await eventually("the provider is asked") { try await simulator.inFlight() > 0 }
        }

        private func job(of answer: String) -> String? {
            answer.split(separator: "\r\n").first { $0.lowercased().hasPrefix("x-renga-job:") }
                .map { String($0.dropFirst("x-renga-job:".count)).trimmed }
        }

        @Test(arguments: [false, true])
        func `A repeat joins the call that still flies, and has its answer a moment later too`(streams: Bool)
            async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(["latency-sigma": "0"])
                let server = try await scenario.serve(simulator)
                let prompt = "[[sim:latency=1500]] A river, please."
                func call(_ count: Int) -> [UInt8] {
                    request(prompt, ["x-stainless-retry-count": "\(count)"], streams: streams)
                }
                try await giveUp(server, simulator, call(0))
                let joined = try await RawConnection.exchange(server.port, call(1))
                try demand(joined.hasPrefix("HTTP/1.1 200"), "\(joined.prefix(400))")
                try demand(!streams || joined.contains("event: message_stop"), "\(joined.suffix(200))")
                let later = try await RawConnection.exchange(server.port, call(2))
                try demand(later.hasPrefix("HTTP/1.1 200"), "\(later.prefix(400))")
                try demand(job(of: joined) != nil && job(of: joined) == job(of: later), "other jobs")
                try demand(try await simulator.calls() == 1, "it was paid for again")
                let jobs = try await server.client.get("/v1/jobs")["data"]?.count
                try demand(jobs == 1, "\(jobs ?? 0) jobs were made of one call")
                // Another call with the same words is another call; so is a repeat in other terms.
                _ = try await RawConnection.exchange(server.port, call(0))
                try demand(try await simulator.calls() == 2, "a call of its own was not made")
                let terms = ["x-stainless-retry-count": "1", "x-renga-tags": "other"]
                _ = try await RawConnection.exchange(server.port, request(prompt, terms, streams: streams))
                try demand(try await simulator.calls() == 3, "a call in other terms was not made")
            }
        }

        @Test func `All repeats are answered, whichever server makes the call`() async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(["latency-sigma": "0"])
                let maker = try await scenario.serve(simulator)
                let other = try await scenario.serve(simulator)
                let call = request("[[sim:latency=2000]] A river, please.", ["idempotency-key": "one"])
                try await giveUp(maker, simulator, call)
                let answers = try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<3 {
                        group.addTask { try await RawConnection.exchange(other.port, call) }
                    }
                    return try await group.reduce(into: [String]()) { $0.append($1) }
                }
                for answer in answers {
                    try demand(answer.hasPrefix("HTTP/1.1 200"), "\(answer.prefix(400))")
                }
                try demand(try await simulator.calls() == 1, "it was paid for again")
            }
        }

        @Test func `A repeat of a call that failed is a new one`() async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator)
                let prompt = "[[sim:status=400;times=1]] A river, please."
                let first = try await RawConnection.exchange(
                    server.port, request(prompt, ["x-stainless-retry-count": "0"]))
                try demand(first.hasPrefix("HTTP/1.1 400"), "\(first.prefix(200))")
                let second = try await RawConnection.exchange(
                    server.port, request(prompt, ["x-stainless-retry-count": "1"]))
                try demand(second.hasPrefix("HTTP/1.1 200"), "\(second.prefix(200))")
            }
        }

        private static let waits: [([String: String], [String: String])] = [
            (["RENGA_INTERACTIVE_WAIT": "1s"], [:]),
            (["RENGA_INTERACTIVE_WAIT": "60s"], ["x-stainless-read-timeout": "1.2"]),
        ]

        @Test(arguments: waits)
        func `A provider that is down is said within the stated wait`(
            settings: [String: String], headers: [String: String]
        ) async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(
                    simulator,
                    settings.merging(["RENGA_BACKOFF_BASE": "300ms", "RENGA_MAX_ATTEMPTS": "100"]) { $1 })
                await simulator.child.killAndWait()
                let clock = ContinuousClock()
                let start = clock.now
                let answer = try await RawConnection.exchange(server.port, request("Hello.", headers))
                let waited = clock.now - start
                Figures.print("a call while the provider is down", ["waited": "\(waited)"])
                try demand(answer.hasPrefix("HTTP/1.1 503"), "\(answer.prefix(400))")
                try demand(answer.contains("overloaded_error"), "\(answer.suffix(400))")
                try demand(waited < .seconds(8), "it waited for \(waited)")
                let job = try await server.client.get("/v1/jobs")["data"]?[0]?["state"]?.string
                try demand(job == "cancelled", "its job is \(job ?? "gone")")
            }
        }
    }
}

extension String {
    fileprivate var trimmed: String { String(drop { $0 == " " }) }
}
