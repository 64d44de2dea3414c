import HTTPClient
import JSON
import TestPostgres
import Testing

extension Proofs {
    /// The database server is away for ten seconds, and comes back as it was.
    @Suite struct DatabaseAway {
        private static let story =
            #"{"model":"claude-haiku-4-5-20251001","max_tokens":200,"stream":true,"messages":[{"role":"user","content":"[[sim:output=120]] A long story, please."}]}"#

        @Test(.enabled(if: Engine.all.contains(.postgres)))
        func `Without its database renga says so in time, keeps what was paid for, and goes on by itself`()
            async throws
        {
            try await Scenario.run(on: .postgres, server: { try TestPostgres(isDurable: true) }) { scenario in
                let simulator = try await scenario.simulator(["output-rate": "20"])
                let server = try await scenario.serve(simulator)
                let workers = try scenario.works(2, simulator, ["RENGA_CONCURRENCY": "10"])
                try await server.warmUp()
                // Somebody listens to an answer meanwhile.
                async let told = server.client.post("/v1/messages", Self.story)
                try await eventually("somebody listens") { try await simulator.inFlight() == 1 }
                try await simulator.change(["latency": "4s", "latency-sigma": "0"])
                let ids = try await server.enqueue(40)
                try await eventually("calls are in flight") { try await simulator.inFlight() >= 16 }
                try await simulator.change(["latency": "10ms"])
                let harm = DatabaseHarm(try scenario.server())
                let start = ContinuousClock.now
                try await harm.stop()
                let (calls, inFlight) = (try await simulator.calls(), try await simulator.inFlight())
                try demand(inFlight >= 16, "\(inFlight) calls in flight")
                let slowest = try await withoutDatabase(server, ids[0])
                try await Task.sleep(until: start + .seconds(10))
                try demand(([server.child] + workers).allSatisfy(\.isRunning), "a process ended")
                try demand(try await simulator.calls() == calls, "calls were made that nobody could keep")
                try demand(try await simulator.inFlight() == 0, "calls were held up")
                let lines = lines([server.child] + workers)

                try await harm.restart()
                let back = ContinuousClock.now
                try await eventually("the server is ready", within: .seconds(10)) {
                    try await server.client.call("GET", "/ready").status == 200
                }
                let ready = (ContinuousClock.now - back).seconds
                try await scenario.allFinished(within: .seconds(20))
                let done = (ContinuousClock.now - back).seconds
                let answer = try await told
                let books = try await scenario.books
                Figures.print(
                    "the database away for 10 s",
                    [
                        "slowest refusal": "\(slowest.text(2)) s",
                        "calls in flight when it went": "\(inFlight)",
                        "calls": "\(try await simulator.calls())", "jobs": "42",
                        "ready after": "\(ready.text(2)) s", "all done after": "\(done.text(2)) s",
                        "lines in the logs meanwhile": "\(lines)",
                    ])
                try demand(
                    answer.status == 200 && answer.text.contains("event: message_stop"),
                    "the listener's answer broke off: \(answer.status) \(answer.text.suffix(300))")
                try demand(try await books.record.count(of: "succeeded") == 42, "not all succeeded")
                try demand(try await simulator.calls() == 42, "a call was made twice")
                try demand(try await books.record.attempts(status: "written_off") == 0, "a lease ran out")
                try demand(lines <= 60, "\(lines) lines in the logs")
                try await books.check()
                try await books.compare(with: simulator)
            }
        }

        /// Whoever asks anything is told, and when to come back; returns how long the slowest answer took, in seconds.
        private func withoutDatabase(_ server: Server, _ job: String) async throws -> Double {
            let prompt = #"{"prompt":"Is anybody there?"}"#
            let message = #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hello?"}]}"#
            let requests = [
                ("POST", "/v1/jobs", prompt), ("GET", "/v1/jobs/\(job)", ""), ("GET", "/v1/jobs?limit=5", ""),
                ("POST", "/v1/messages", message), ("POST", "/v1/chat/completions", message),
                ("GET", "/v1/stats", ""), ("GET", "/v1/jobs/\(job)?wait=20", ""),
                ("POST", "/v1/jobs/\(job)/cancel", ""),
            ]
            return try await withThrowingTaskGroup(of: Double.self) { group in
                for (method, path, body) in requests {
                    group.addTask { try await refusal(server, method, path, body) }
                }
                group.addTask { try await refusedLine(server, prompt) }
                group.addTask { try await unready(server) }
                return try await group.reduce(0) { max($0, $1) }
            }
        }

        private func refusal(_ server: Server, _ method: String, _ path: String, _ body: String) async throws
            -> Double
        {
            let start = ContinuousClock.now
            let answer = try await server.client.call(method, path, Array(body.utf8))
            let seconds = (ContinuousClock.now - start).seconds
            try demand(answer.status == 503, "\(method) \(path): \(answer.status) \(answer.text.prefix(300))")
            let wait = answer.headers["retry-after"].flatMap { Int($0) } ?? 0
            try demand((1...60).contains(wait), "\(method) \(path): retry-after is \(wait)")
            try demandPace(seconds < 5, "\(method) \(path) was refused after \(seconds.text(2)) s")
            return seconds
        }

        private func refusedLine(_ server: Server, _ line: String) async throws -> Double {
            let start = ContinuousClock.now
            let answer = try await server.client.call(
                "POST", "/v1/jobs/bulk", Array((line + "\n").utf8),
                headers: [("content-type", "application/x-ndjson")])
            let seconds = (ContinuousClock.now - start).seconds
            let said = answer.lines.first?["error"]?["status"]?.int ?? answer.status
            try demand(said == 503, "bulk: \(answer.status) \(answer.text.prefix(300))")
            try demandPace(seconds < 5, "bulk was refused after \(seconds.text(2)) s")
            return seconds
        }

        private func unready(_ server: Server) async throws -> Double {
            let start = ContinuousClock.now
            // Its word on itself is a second old at most.
            try await eventually("the server is not ready", within: .seconds(5)) {
                try await server.client.call("GET", "/ready").status == 503
            }
            let seconds = (ContinuousClock.now - start).seconds
            let ready = try await server.client.call("GET", "/ready")
            try demand(
                ready.json?["problem"]?.string == "store-unavailable" && ready.headers["retry-after"] != nil,
                "/ready says \(ready.text)")
            try demand(try await server.client.call("GET", "/health").status == 200, "/health fails")
            return seconds
        }

        private func lines(_ children: [Child]) -> Int {
            children.reduce(0) { $0 + $1.errors.split(separator: "\n").count }
        }
    }
}
