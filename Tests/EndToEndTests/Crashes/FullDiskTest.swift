import HTTPClient
import JSON
import Testing

extension Proofs {
    /// The disk is full for a while.
    @Suite struct FullDisk {
        @Test(.enabled("mounting a small disk is not possible here") { await SmallDisk.isPossible() })
        func `On a full disk callers are told, workers hold, and all goes on when there is room again`()
            async throws
        {
            try await Scenario.run { scenario in
                let disk = try await SmallDisk(scenario)
                let simulator = try await scenario.simulator()
                let port = try Ports.free()
                let settings = scenario.variables(
                    simulator,
                    ["RENGA_DATABASE": disk.path + "/jobs.db", "RENGA_LISTEN": "127.0.0.1:\(port)"])
                let server = try await scenario.serve(
                    try scenario.start(["serve"], settings, wrapper: disk.wrapper), port: port)
                let worker = try scenario.start(["work"], settings, wrapper: disk.wrapper)
                try await server.warmUp()
                var ids = Set(try await server.enqueue(50))
                try await allDone(server)

                // Answers that are paid for come while there is no room to keep them.
                try await simulator.change(["latency": "2s", "latency-sigma": "0"])
                ids.formUnion(try await server.enqueue(10, as: "flying") { "Fly \($0)." })
                try await eventually("ten calls are in flight") { try await simulator.inFlight() == 10 }
                ids.formUnion(try await server.enqueue(200, as: "waiting") { "Wait \($0)." })
                try disk.fill()
                let start = ContinuousClock.now
                let refusal = try await refusal(by: server, &ids)
                try demand(refusal.status == 507, "\(refusal.status) \(refusal.text)")
                try demand(
                    refusal.json?["type"]?.string == "urn:renga:problem:store-full"
                        && refusal.headers["retry-after"] != nil, refusal.text)
                let line = try await server.client.call(
                    "POST", "/v1/jobs/bulk", Array(#"{"prompt":"a line"}"#.utf8),
                    headers: [("content-type", "application/x-ndjson")])
                try demand(line.lines.first?["error"]?["status"]?.int == 507, line.text)
                // Its word on itself is a second old at most.
                try await eventually("the server is not ready", within: .seconds(5)) {
                    try await server.client.call("GET", "/ready").status == 503
                }
                let ready = try await server.client.call("GET", "/ready")
                try demand(ready.json?["problem"]?.string == "store-full", "/ready says \(ready.text)")
                try demand(try await server.client.call("GET", "/health").status == 200, "/health fails")
                let some = try #require(ids.first)
                try demand(
                    try await server.client.call("GET", "/v1/jobs/\(some)").status == 200, "reading fails")
                try await eventually("the calls have come back") { try await simulator.inFlight() == 0 }
                let calls = try await simulator.calls()
                try await Task.sleep(for: .seconds(Form.pick(short: 3, long: 20)))
                try demand(server.child.isRunning && worker.isRunning, "a process ended")
                try demand(try await simulator.calls() == calls, "calls were made that nobody could keep")
                _ = try await copy("full", settings, disk, scenario)

                try disk.empty()
                let again = ContinuousClock.now
                try await simulator.change(["latency": "0"])
                ids.insert(try await accepted(by: server))
                try await allDone(server)
                let seconds = (ContinuousClock.now - again).seconds
                let books = try await copy("well", settings, disk, scenario)
                let jobs = try await books.record.jobs()
                try demand(jobs.count == ids.count + 1, "\(ids.count + 1) acknowledged, \(jobs.count) there")
                try demand(jobs.allSatisfy { $0.state == "succeeded" }, "not all succeeded")
                try await books.compare(with: simulator)
                let all = try await simulator.calls()
                Figures.print(
                    "a full disk",
                    [
                        "jobs": "\(jobs.count)", "calls": "\(all)",
                        "full for": "\((again - start).seconds.text()) s",
                        "all done after": "\(seconds.text()) s",
                    ])
                try demand(
                    all == jobs.count, "\(all) calls for \(jobs.count) jobs: an answer was thrown away")
            }
        }

        private func allDone(_ server: Server) async throws {
            try await eventually("every job is finished", within: .seconds(60)) {
                let counts = try await server.client.get("/v1/stats")["counts"]
                return counts?["queued"]?.int == 0 && counts?["running"]?.int == 0
            }
        }

        /// A sound copy, made within the small disk and kept beside it: SQLite finds no way in from outside.
        private func copy(
            _ name: String, _ settings: [String: String], _ disk: SmallDisk, _ scenario: Scenario
        ) async throws -> Books {
            let path = "\(scenario.folder.path)/\(name).db"
            let run = try await scenario.finish(["backup", path], settings, wrapper: disk.wrapper)
            try demand(run.status == .status(0), "backup: \(run.status) \(run.errors)")
            let books = Books(path: path)
            try await books.check()
            return books
        }

        /// The log may have some room left of an earlier time.
        private func refusal(by server: Server, _ ids: inout Set<String>) async throws -> Client.Answer {
            for number in 0..<100 {
                let answer = try await server.client.post("/v1/jobs", #"{"prompt":"Full \#(number)."}"#)
                guard answer.status == 202, let id = answer.json?["id"]?.string else { return answer }
                ids.insert(id)
            }
            throw Disappointment("a full disk takes everything")
        }

        private func accepted(by server: Server) async throws -> String {
            let answer = try await server.client.post("/v1/jobs", #"{"prompt":"Room again."}"#)
            guard answer.status == 202, let id = answer.json?["id"]?.string else {
                throw Disappointment("not taken though there is room: \(answer.status) \(answer.text)")
            }
            return id
        }
    }
}
