import CrashPoint
import Glibc
import JSON
import Jobs
import SQLite
import Testing

extension Proofs {
    /// `renga move`, with everything in it that a database can hold, and killed wherever it can be.
    @Suite struct Moves {
        /// Where it dies, one after the other, on its way through one move.
        static let deaths: [(point: CrashPoint, count: Int)] = [
            (.moveMarked, 1), (.movePortion, 1), (.movePortion, 4), (.movePortion, 9), (.moveCompared, 1),
            (.moveLeft, 1), (.moveFinished, 1),
        ]

        private static let settings = [
            "RENGA_LEASE": "2s", "RENGA_CONCURRENCY": "10", "RENGA_DAILY_BUDGET_USD": "1000",
            "RENGA_MONTHLY_BUDGET_USD": "2000", "RENGA_BATCH_LINGER": "1s", "RENGA_BATCH_POLL": "200ms",
            "RENGA_CACHE_TTL": "30d",
        ]

        /// Answered within the limit: what is cut off is not kept for others.
        private static func short(_ number: Int) -> String { "[[sim:output=4]] Say the number \(number)." }

        @Test(arguments: Engine.all)
        func `Whatever was there goes on in the other database, and a move that is killed goes on too`(
            from engine: Engine
        ) async throws {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator([
                    "batch-turnaround": "45s", "batch-rpm": "0", "latency": "10ms",
                ])
                var settings = Self.settings
                settings["RENGA_CONFIG"] = try scenario.configuration(
                    """
                    {"model":"one","providers":{"first":{"base_urls":["\(simulator.url)"]}},
                     "routes":{"one":{"provider":"first","model":"claude-haiku-4-5-20251001"}}}
                    """)
                let target = try await Target(of: scenario)
                let move = Move(scenario, target)
                let server = try await scenario.serve(simulator, settings)
                let worker = try scenario.work(simulator, settings)
                let ids = try await fill(server, simulator, scenario)

                try await move.expectRefusal("in use", "while a worker lives")
                await worker.killAndWait()
                server.child.signal(SIGTERM)
                let end = await server.child.exit(within: .seconds(60))
                try demand(end == .status(0), "the server: \(end?.description ?? "runs")")
                let before = try await scenario.stillRecord()
                let open = try await before.attempts(status: "open")
                try demand(open >= 10, "\(open) calls were under way: nothing is proved of them")

                try await move.dieEverywhere(Self.deaths, simulator, settings)
                let after = Record(try await target.source.still(at: scenario.folder.path + "/after.db"))
                try await compare(before, after)
                try await Books(after).check()
                try await goOn(ids, target, simulator, settings, scenario)
                await target.drop()
            }
        }

        /// Jobs in every state, and whatever else has rows; ids of the finished ones by what callers name them.
        private func fill(_ server: Server, _ simulator: Simulated, _ scenario: Scenario) async throws
            -> [String]
        {
            try await server.warmUp()
            let done = try await server.enqueue(200, as: "done", prompt: Self.short)
            try await scenario.allFinished(within: .seconds(60))
            _ = try await server.enqueue(20, as: "cached", prompt: Self.short)
            let texts = [
                #"{"prompt":"Later.","delay":"1h","tags":["team-a"],"metadata":{"row":17}}"#,
                #"{"prompt":"[[sim:status=400]] Refused.","max_attempts":1}"#,
                #"{"prompt":"Name a river.","check":{"labels":["Vltava"],"on_fail":["review"]}}"#,
            ]
            for text in texts {
                let answer = try await server.client.post("/v1/jobs", text)
                try demand(answer.status == 202, "\(text): \(answer.status) \(answer.text)")
            }
            let unwanted = try await server.client.post("/v1/jobs", #"{"prompt":"Never.","delay":"1h"}"#)
            let id = try #require(unwanted.json?["id"]?.string)
            try demand(
                try await server.client.call("POST", "/v1/jobs/\(id)/cancel").status == 200, "not cancelled")
            let lines = (1...20).map { #"{"prompt":"Of a batch, \#($0).","custom_id":"b-\#($0)"}"# }
            let batch = try await server.client.call(
                "POST", "/v1/jobs/bulk?batch=nightly", Array(lines.joined(separator: "\n").utf8),
                headers: [("content-type", "application/x-ndjson")])
            try demand(batch.status == 200, "\(batch.status) \(batch.text)")
            let requests = (1...20).map { number in
                #"{"custom_id":"r-\#(number)","params":{"model":"claude-haiku-4-5-20251001","max_tokens":16,"messages":[{"role":"user","content":"Of a message batch, \#(number)."}]}}"#
            }
            let message = try await server.client.post(
                "/v1/messages/batches", #"{"requests":[\#(requests.joined(separator: ","))]}"#)
            try demand(message.status == 200, "\(message.status) \(message.text)")
            let cheap = (1...10).map { #"{"prompt":"At half the price, \#($0).","processing":"batch"}"# }
            let sent = try await server.client.call(
                "POST", "/v1/jobs/bulk", Array(cheap.joined(separator: "\n").utf8),
                headers: [("content-type", "application/x-ndjson")])
            try demand(sent.status == 200, "\(sent.status) \(sent.text)")
            try await eventually("a batch is with the provider") {
                try await simulator.stats()["batches"]?.integer("created") ?? 0 > 0
            }
            try await eventually("all but what waits, or is with the provider, is done") {
                try await simulator.inFlight() == 0
            }
            try await simulator.change(["latency": "60s", "latency-sigma": "0"])
            // More than fly at once: some wait for their turn, and copies for their originals' answers.
            for name in ["open", "copy"] {
                try await server.enqueue(30, as: name) { "Say slowly \($0)." }
            }
            try await eventually("calls are in flight") { try await simulator.inFlight() >= 10 }
            return done
        }

        private func compare(_ before: Record, _ after: Record) async throws {
            let (here, there) = (try await before.jobs(), try await after.jobs())
            try demand(here == there && here.count > 300, "\(here.count) jobs went, \(there.count) came")
            for query: SQL in [
                "SELECT group_concat(state || ' ' || jobs) FROM (SELECT state, sum(jobs) AS jobs FROM lane_tally GROUP BY 1)",
                "SELECT group_concat(budget_id || ' ' || starts_at || ' ' || settled || ' ' || reserved) FROM budget_window",
                "SELECT group_concat(subject || ' ' || fingerprint) FROM statement",
                "SELECT group_concat(day || ' ' || lane_id || ' ' || cost || ' ' || saved) FROM spend",
                "SELECT group_concat(token || ' ' || state || ' ' || requests) FROM provider_batch",
                "SELECT count(*) || ' ' || sum(uses) || ' ' || sum(cost) FROM answer",
                "SELECT group_concat(batch_id || ' ' || custom_id || ' ' || job_id) FROM message_batch_item",
            ] {
                let (went, came) = (
                    try await before.rows(query) { $0.text(0) }, try await after.rows(query) { $0.text(0) }
                )
                try demand(went == came && !went.allSatisfy(\.isEmpty), "\(query): \(went), then \(came)")
            }
            let states = Set(here.map(\.state))
            try demand(
                states == ["succeeded", "failed", "cancelled", "queued", "running", "review"],
                "only \(states.sorted()) were there")
        }

        /// The other engine takes the work up, by the same names, and pays for nothing again that was answered.
        private func goOn(
            _ ids: [String], _ target: Target, _ simulator: Simulated, _ settings: [String: String],
            _ scenario: Scenario
        ) async throws {
            try await simulator.change(["latency": "10ms"])
            let settings = settings.merging(["RENGA_DATABASE": target.database]) { $1 }
            let server = try await scenario.serve(simulator, settings)
            _ = try scenario.work(simulator, settings)
            let record = Record(target.source)
            try await eventually("all is done that can be", within: .seconds(120), every: .milliseconds(200))
            {
                // One has an hour yet, and one waits for a person.
                try await record.unfinished() == 2
            }
            try demand(
                try await server.enqueue(200, as: "done", prompt: Self.short) == ids,
                "a name leads to another job than before")
            let calls = try await simulator.calls()
            let again = try await server.client.post(
                "/v1/jobs?wait=30", #"{"prompt":"\#(Self.short(7))","max_tokens":32}"#)
            try demand(
                again.json?["cached"]?.bool == true, "not from the cache: \(again.status) \(again.text)")
            try demand(try await simulator.calls() == calls, "a call was made for an answer that was there")
            let books = Books(Record(try await target.source.still(at: scenario.folder.path + "/end.db")))
            try await books.check()
            try await books.compare(with: simulator)
        }
    }
}

/// Where the jobs of a scenario go: the other engine.
private struct Target {
    let database: String
    let source: any RecordSource
    private let onServer: ServerDatabase?

    init(of scenario: Scenario) async throws {
        if scenario.onServer == nil {
            let made = try await ServerDatabase.make(nil)
            (database, source, onServer) = (made.url, made, made)
        } else {
            database = scenario.folder.path + "/moved.db"
            (source, onServer) = (RecordFile(path: database), nil)
        }
    }

    func drop() async { await onServer?.drop() }
}

/// The command, and what others meet meanwhile.
private struct Move {
    private let scenario: Scenario
    private let target: Target

    init(_ scenario: Scenario, _ target: Target) {
        self.scenario = scenario
        self.target = target
    }

    private var words: [String] { ["move", "--from", scenario.database, "--to", target.database] }

    func expectRefusal(_ reason: String, _ when: String) async throws {
        let run = try await scenario.finish(words)
        try demand(
            run.status == .status(1) && run.errors.contains(reason), "\(when): \(run.status) \(run.errors)")
    }

    /// A worker that was killed counts as living for half a minute on a server.
    private func begin() async throws {
        guard scenario.onServer != nil else { return }
        try await expectRefusal("was heard of", "after a worker was killed")
        try await eventually("the dead worker is forgotten", within: .seconds(60), every: .seconds(1)) {
            let found = try await scenario.finish(
                words, ["RENGA_CRASH_AT": "\(CrashPoint.moveMarked.rawValue):1"])
            return found.status == .signal(SIGKILL)
        }
    }

    func dieEverywhere(
        _ deaths: [(point: CrashPoint, count: Int)], _ simulator: Simulated, _ settings: [String: String]
    ) async throws {
        try await begin()
        for death in deaths {
            let run = try await scenario.finish(
                words, ["RENGA_CRASH_AT": "\(death.point.rawValue):\(death.count)"])
            try demand(
                run.status == .signal(SIGKILL), "at \(death.point.rawValue): \(run.status) \(run.errors)")
            guard death.point != .moveFinished else { continue }
            let isTargetThere = death.point != .moveMarked
            for database in [scenario.database] + (isTargetThere ? [target.database] : []) {
                for command in ["serve", "work"] {
                    try await expectRefusal(of: database, command, simulator, settings, after: death.point)
                }
            }
        }
        let again = try await scenario.finish(words)
        try demand(
            again.status == .status(0) && again.output.contains("nothing is left to do"),
            "\(again.status) \(again.output) \(again.errors)")
        for command in ["serve", "work", "up"] {
            try await expectRefusal(of: scenario.database, command, simulator, settings, after: .moveFinished)
        }
    }

    /// A service says which command to run, and so does the doctor.
    private func expectRefusal(
        of database: String, _ command: String, _ simulator: Simulated, _ settings: [String: String],
        after point: CrashPoint
    ) async throws {
        var variables = scenario.variables(simulator, settings)
        variables["RENGA_DATABASE"] = database
        variables["RENGA_LISTEN"] = "127.0.0.1:\(try Ports.free())"
        let service = try await scenario.finish([command], variables)
        try demand(
            service.status == .status(1) && service.errors.contains("renga move --from"),
            "\(command) on \(database) after \(point.rawValue): \(service.status) \(service.errors)")
        let doctor = try await scenario.finish(["doctor", "--shell"], variables)
        try demand(
            doctor.output.contains("renga move --from"), "doctor, after \(point.rawValue): \(doctor.output)")
    }
}
