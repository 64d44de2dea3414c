import Glibc
import JSON
import SQLite
import System
import TestSupport
import Testing

extension Proofs {
    /// What all processes of a database agree on: the calendar, and the configuration.
    @Suite struct Agreements {
        private static let day: Int64 = 86_400_000
        /// 2026-11-20T09:00:00Z.
        private static let start: Int64 = 1_795_165_200_000

        @Test func `One worker whose calendar is weeks ahead deletes nothing, ends nothing and is named`()
            async throws
        {
            try await Scenario.run { scenario in
                let right = try Calendar(in: try scenario.subfolder("right"), at: Self.start)
                let wrong = try Calendar(in: try scenario.subfolder("wrong"), at: Self.start + 40 * Self.day)
                let simulator = try await scenario.simulator(["latency": "5ms"])
                // Finished jobs would go after two seconds, by any calendar but the one that counts.
                let settings = [
                    "RENGA_RETENTION": "2s", "RENGA_LEASE": "3s", "RENGA_CALENDAR_PATIENCE": "10m",
                ]
                let kept = right.variables.merging([
                    "RENGA_RETENTION": "30d", "RENGA_CALENDAR_PATIENCE": "10m",
                ]) { $1 }
                let server = try await scenario.serve(simulator, kept)
                let worker = try scenario.work(simulator, kept)
                try await server.warmUp()
                try await server.enqueue(20)
                let late = try await server.client.post(
                    "/v1/jobs", #"{"prompt":"Later.","delay":"19d","deadline":"20d"}"#)
                let id = try #require(late.json?["id"]?.string)
                try await eventually("the backlog is done", within: .seconds(30)) {
                    try await scenario.record.count(of: "succeeded") == 21
                }
                let liar = try scenario.work(
                    simulator, wrong.variables.merging(settings) { $1 })
                try await eventually("the wrong calendar is told", within: .seconds(20)) {
                    let stats = try await server.client.get("/v1/stats")
                    return (stats["calendar_dispute"]?.integer("off_ms") ?? 0) > Int(39 * Self.day)
                        && stats["workers"]?.elements?.contains {
                            $0.integer("calendar_off_ms") > Int(39 * Self.day)
                        } == true
                }
                // A jump of all the others, forth and back, that lasts for moments.
                try right.advance(by: 40 * Self.day)
                try await Task.sleep(for: .milliseconds(500))
                try right.advance(by: -40 * Self.day)
                try await Task.sleep(for: .seconds(4))
                try demand(try await scenario.record.count(of: "succeeded") == 21, "finished jobs are gone")
                try demand(
                    try await server.client.get("/v1/jobs/\(id)")["state"]?.string == "queued",
                    "the late job is no longer queued")
                try demand(liar.isRunning && worker.isRunning, "a worker ended")
                try demand(liar.errors.contains("calendar disagrees"), "the log is silent: \(liar.errors)")
            }
        }

        @Test func `A retry is not held by a calendar that jumps for moments`() async throws {
            try await Scenario.run { scenario in
                let calendar = try Calendar(in: scenario.folder.path, at: Self.start)
                let simulator = try await scenario.simulator([
                    "latency": "20ms", "faults": "500:#1-4",
                ])
                let settings = calendar.variables.merging([
                    "RENGA_BACKOFF_BASE": "300ms", "RENGA_CALENDAR_PATIENCE": "10m",
                ]) { $1 }
                let server = try await scenario.serve(simulator, settings)
                _ = try scenario.works(1, simulator, settings)
                let answer = try await server.client.post("/v1/jobs", #"{"prompt":"Again."}"#)
                let id = try #require(answer.json?["id"]?.string)
                // While calls fail: jumps, between which the time goes on as ever.
                try await eventually("the job is done", within: .seconds(40)) {
                    try calendar.advance(by: 40 * Self.day)
                    try await Task.sleep(for: .milliseconds(60))
                    try calendar.advance(by: 100 - 40 * Self.day)
                    try await Task.sleep(for: .milliseconds(40))
                    return try await server.client.get("/v1/jobs/\(id)")["state"]?.string == "succeeded"
                }
            }
        }

        @Test func `Who has a superseded configuration spends nothing, and reads its file again`()
            async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(["latency": "5ms"])
                let file = try scenario.configuration(Self.file(simulator, input: 1))
                let forgotten = try scenario.subfolder("forgotten") + "/renga.json"
                try writeTestFile(path: forgotten, bytes: Array(Self.file(simulator, input: 1).utf8))
                let server = try await scenario.serve(simulator, ["RENGA_CONFIG": file])
                let reader = try scenario.work(simulator, ["RENGA_CONFIG": file])
                let stale = try scenario.work(simulator, ["RENGA_CONFIG": forgotten])
                try await server.warmUp()
                try writeTestFile(path: file, bytes: Array(Self.file(simulator, input: 3).utf8))
                let second = try await scenario.serve(simulator, ["RENGA_CONFIG": file])
                for child in [server.child, reader] {
                    try await eventually("the file is read again", within: .seconds(20)) {
                        child.errors.contains("the configuration was read again")
                    }
                }
                try await eventually("the forgotten one says so", within: .seconds(20)) {
                    stale.errors.contains("this process claims nothing")
                }
                try await eventually("and it is named", within: .seconds(20)) {
                    try await second.client.get("/v1/stats")["workers"]?.elements?
                        .contains { $0.isTrue("superseded") } == true
                }
                await reader.killAndWait()
                try await second.enqueue(3)
                try await Task.sleep(for: .seconds(2))
                try demand(try await simulator.calls() == 1, "the forgotten one called")
                // The first server reads its file again: its callers are served, at the new price.
                let call = try await server.client.post(
                    "/v1/messages",
                    #"{"model":"haiku","max_tokens":8,"messages":[{"role":"user","content":"Hi."}]}"#)
                try demand(call.status == 200, "\(call.status) \(call.text)")
                let again = try await scenario.finish(
                    ["work"], scenario.variables(simulator, ["RENGA_CONFIG": forgotten]))
                try demand(
                    again.status == .status(1) && again.errors.contains("routes.haiku.prices: here 1000 in"),
                    "\(again.status): \(again.errors)")
                let back = try scenario.start(
                    ["work", "--adopt-config"], scenario.variables(simulator, ["RENGA_CONFIG": forgotten]))
                try await eventually("it goes back on purpose", within: .seconds(20)) {
                    try await scenario.record.count(of: "succeeded") >= 5
                }
                try demand(back.isRunning, "\(back.errors)")
            }
        }

        private static func file(_ simulator: Simulated, input: Int) -> String {
            """
            {"providers":{"anthropic":{"base_urls":["\(simulator.url)"],"simulated":true}},
             "routes":{"haiku":{"provider":"anthropic","model":"claude-haiku-4-5-20251001",
               "prices":{"input":\(input),"output":5}}},
             "budgets":[{"name":"daily","window":"day","usd":5}]}
            """
        }
    }
}

extension JSON {
    fileprivate func isTrue(_ name: String) -> Bool { self[name]?.bool == true }
}

extension Scenario {
    /// A folder of its own, as for a second calendar.
    fileprivate func subfolder(_ name: String) throws -> String {
        let path = folder.path + "/" + name
        try demand(mkdir(path, 0o700) == 0, "no folder \(path)")
        return path
    }
}
