import JSON
import Testing

extension Proofs {
    /// The first minute of a deployment.
    @Suite struct Start {
        @Test func `Eight processes that start at once on a new database share it`() async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator()
                let rounds = Form.pick(short: 3, long: 20)
                for round in 1...rounds {
                    let database = "\(scenario.folder.path)/new-\(round).db"
                    let settings = scenario.variables(
                        simulator, ["RENGA_DATABASE": database, "RENGA_LISTEN": "127.0.0.1:0"])
                    let migrating = try (0..<3).map { _ in
                        try scenario.start(["migrate"], ["RENGA_DATABASE": database])
                    }
                    let working = try (0..<3).map { _ in try scenario.start(["work"], settings) }
                    let port = try Ports.free()
                    let serving = try ["127.0.0.1:\(port)", "127.0.0.1:0"].map {
                        try scenario.start(["serve"], settings.merging(["RENGA_LISTEN": $0]) { $1 })
                    }
                    let server = try await scenario.serve(serving[0], port: port)
                    for child in migrating {
                        let exit = await child.exit(within: .seconds(20))
                        try demand(exit == .status(0), "migrate ended with \(exit?.description ?? "nothing")")
                    }
                    try await server.warmUp()
                    try demand((working + serving).allSatisfy(\.isRunning), "a process ended")
                    let record = Record(path: database)
                    try demand(try await record.source.violations().isEmpty, "the database is damaged")
                    try demand(try await record.schemaVersion() > 0, "the schema has no version")
                    for child in working + serving { await child.killAndWait() }
                }
                Figures.print("10 eight at once", ["new databases": "\(rounds)", "failures": "0"])
            }
        }

        @Test func `Limits that nobody stated are learned without meeting them`() async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator([
                    "latency": "300ms", "latency-sigma": "0", "rpm": "60", "answer-tokens": "8",
                ])
                let server = try await scenario.serve(simulator)
                try await server.enqueue(200)
                _ = try scenario.works(3, simulator)
                let start = ContinuousClock.now
                try await eventually("most of the minute's calls are made") {
                    try await simulator.calls() >= 55
                }
                let seconds = (ContinuousClock.now - start).seconds
                try await Task.sleep(for: .seconds(3))
                let journal = try await simulator.journal()
                let answered = journal.compactMap(\.finished).min() ?? 0
                let blind = journal.filter { $0.arrived < answered }.count
                let refused = journal.filter { $0.status == 429 }.count
                Figures.print(
                    "11 unknown limits",
                    [
                        "calls before the first answer": "\(blind)",
                        "55 of 60 calls after": "\(seconds.text()) s", "429": "\(refused)",
                    ])
                try demand(blind <= 5, "\(blind) calls flew before anything was known")
                try demand(refused == 0, "\(refused) calls met a 429")
            }
        }

        @Test func `Commands say what went wrong by their exit status`() async throws {
            try await Scenario.run { scenario in
                let nowhere = ["RENGA_URL": "http://127.0.0.1:\(try Ports.free())"]
                let database = ["RENGA_DATABASE": scenario.database, "ANTHROPIC_API_KEY": "sk-x"]
                let cases: [([String], [String: String], Int32, [String])] = [
                    (["--version"], [:], 0, ["renga"]), (["help"], [:], 0, ["usage", "enqueue"]),
                    (["help", "enqueue"], [:], 0, ["--wait"]), (["enqeue"], [:], 2, ["enqueue", "usage"]),
                    (["jobs", "--limt", "3"], nowhere, 2, ["--limt", "--limit", "usage"]),
                    (["show"], nowhere, 2, ["usage"]), (["enqueue"], nowhere, 2, ["usage"]),
                    (["jobs"], nowhere, 75, [nowhere["RENGA_URL"] ?? ""]), (["status"], nowhere, 75, []),
                    (["show", "job_0000000000000"], nowhere, 75, []),
                    (["work"], ["RENGA_DATABASE": scenario.database], 2, ["ANTHROPIC_API_KEY"]),
                    (
                        ["work"], database.merging(["RENGA_LEASE": "soon"]) { $1 }, 2,
                        ["RENGA_LEASE", "soon", "30s"]
                    ),
                    (["serve"], database.merging(["RENGA_LISTEN": "0.0.0.0:0"]) { $1 }, 2, ["RENGA_API_KEY"]),
                    (["enqueue", "/no/such/file"], nowhere, 1, ["/no/such/file"]),
                ]
                for (arguments, variables, status, words) in cases {
                    let run = try await scenario.finish(arguments, variables, within: .seconds(20))
                    let said = run.output + run.errors
                    let isSaid = words.allSatisfy { said.lowercased().contains($0.lowercased()) }
                    try demand(
                        run.status == .status(status) && isSaid,
                        "renga \(arguments.joined(separator: " ")): \(run.status), expected \(status) and \(words): \(said)"
                    )
                }
                Figures.print("11 exit status", ["command lines": "\(cases.count)", "wrong": "0"])
            }
        }

        @Test func `The doctor finds nothing where all is well, and names what is not`() async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator)
                let well = try await scenario.finish(
                    ["doctor"], scenario.variables(simulator, ["RENGA_URL": server.url]))
                try demand(well.status == .status(0), "doctor: \(well.status) \(well.output) \(well.errors)")
                try demand(
                    !(well.output + well.errors).contains("sk-simulated"),
                    "the doctor shows a key: \(well.output)")
                let nobody = "http://127.0.0.1:\(try Ports.free())"
                let ill = try await scenario.finish(
                    ["doctor"], scenario.variables(simulator, ["ANTHROPIC_BASE_URL": nobody]))
                try demand(ill.status == .status(1), "doctor without a provider: \(ill.status) \(ill.output)")
                try demand(
                    (ill.output + ill.errors).contains(nobody),
                    "does not name what is not reachable: \(ill.output)")
                Figures.print("11 doctor", ["lines": "\(well.output.split(separator: "\n").count)"])
            }
        }
    }
}
