import JSON
import Jobs
import Migrations
import Postgres
import System
import Testing

@testable import JobStorePostgres

extension Proofs {
    /// The schema rises under a fleet at work, which is then replaced.
    @Suite struct RollingUpgrade {
        /// What a later version might bring.
        private func step(worksFrom: Int) -> Migrator {
            let version = Schema.version + 1
            let sql = """
                ALTER TABLE job ADD COLUMN note text;
                CREATE TABLE note (job_id bigint PRIMARY KEY, body text NOT NULL);
                INSERT INTO note (job_id, body) SELECT job_id, state FROM job_place;
                UPDATE renga SET version = \(version), works_from = \(worksFrom), settles_from = \(Schema.version);
                """
            return Migrator(
                steps: Migration.postgres
                    + [Migration(version: version, file: "made_up.sql", sql: Array(sql.utf8))])
        }

        private func rise(_ scenario: Scenario, _ migrator: Migrator) async throws {
            let settings = try ConnectionSettings(url: scenario.database, from: .environment)
            let session = try Session(settings, random: SystemRandom())
            do {
                try await migrator.run(session)
            } catch {
                await session.close()
                throw error
            }
            await session.close()
        }

        /// The next best thing to a newer binary: this one's version again.
        private func replace(_ scenario: Scenario) throws {
            try Connection.open(ConnectionSettings(url: scenario.database, from: .environment)).execute(
                script: """
                    DROP TABLE note;
                    ALTER TABLE job DROP COLUMN note;
                    UPDATE renga SET version = \(Schema.version);
                    """)
        }

        @Test(.enabled(if: Engine.all.contains(.postgres)))
        func `A fleet goes on under a newer schema that lets it, and loses nothing`() async throws {
            try await Scenario.run(on: .postgres) { scenario in
                let simulator = try await scenario.simulator(["latency": "100ms"])
                let server = try await scenario.serve(simulator)
                let workers = try scenario.works(2, simulator, ["RENGA_CONCURRENCY": "10"])
                try await server.warmUp()
                let count = Form.pick(short: 200, long: 5_000)
                try await server.enqueue(count)
                try await eventually("calls are in flight") { try await simulator.inFlight() >= 10 }
                let start = ContinuousClock.now
                try await rise(scenario, step(worksFrom: Schema.version))
                let seconds = (ContinuousClock.now - start).seconds
                try await server.enqueue(20, as: "later") { "Say \($0) later." }
                try demand(try await scenario.schemaVersion() == Schema.version + 1, "the step was not taken")
                try await eventually("all is done under the newer schema", within: .seconds(90)) {
                    let waiting = try await scenario.server().ask("SELECT count(*) FROM waiting").first
                    let inFlight = try await simulator.inFlight()
                    return waiting == 0 && inFlight == 0
                }
                try demand(([server.child] + workers).allSatisfy(\.isRunning), "a process ended")
                Figures.print("a step under a fleet at work", ["the step took": "\(seconds.text(2)) s"])
                try replace(scenario)
                try await check(scenario, simulator, jobs: count + 21)
            }
        }

        @Test(.enabled(if: Engine.all.contains(.postgres)))
        func `One that a newer schema stops settles its calls, says so once, and stays`() async throws {
            try await Scenario.run(on: .postgres) { scenario in
                let simulator = try await scenario.simulator(["latency": "400ms"])
                let server = try await scenario.serve(simulator)
                let workers = try scenario.works(2, simulator, ["RENGA_CONCURRENCY": "10"])
                try await server.warmUp()
                let count = Form.pick(short: 150, long: 5_000)
                try await server.enqueue(count)
                try await eventually("calls are in flight") { try await simulator.inFlight() >= 10 }
                try await rise(scenario, step(worksFrom: Schema.version + 1))

                try await eventually("the calls in flight are settled") {
                    let open = try await scenario.server().ask("SELECT count(*) FROM flight").first
                    let inFlight = try await simulator.inFlight()
                    return open == 0 && inFlight == 0
                }
                let (calls, left) = (
                    try await simulator.calls(),
                    try await scenario.server().ask("SELECT count(*) FROM waiting").first ?? 0
                )
                try demand(left > 0, "there was nothing left to stop at")
                let ready = try await unready(server)
                let refused = try await server.client.post("/v1/jobs", #"{"prompt":"Too late?"}"#)
                try demand(refused.status == 503, "it took a job: \(refused.status) \(refused.text)")
                // Each says so by its next heartbeat.
                let fleet = [server.child] + workers
                try await eventually("each has said so") { fleet.allSatisfy { said($0) > 0 } }
                try demand(fleet.allSatisfy { said($0) == 1 }, "\(fleet.map(said)) lines")
                try demand(fleet.allSatisfy(\.isRunning), "a process ended")
                let errors = fleet.map { errorLines($0) }.joined()
                try demand(errors.isEmpty, "errors in the logs: \(errors.prefix(2_000))")
                try demand(try await simulator.calls() == calls, "calls were made under the newer schema")

                try replace(scenario)
                try await scenario.allFinished(within: .seconds(90))
                Figures.print(
                    "a fleet that a newer schema stops",
                    ["calls when it stopped": "\(calls)", "jobs left": "\(left)", "/ready": ready])
                try await check(scenario, simulator, jobs: count + 1)
            }
        }

        private func unready(_ server: Server) async throws -> String {
            try await eventually("the server is not ready") {
                try await server.client.call("GET", "/ready").status == 503
            }
            let detail = try await server.client.call("GET", "/ready").json?["detail"]?.string ?? ""
            try demand(detail.contains("replace this process"), "/ready says \(detail)")
            return detail
        }

        /// How often a process told of the schema.
        private func said(_ child: Child) -> Int {
            child.errors.split(separator: "\n").filter { line in
                line.contains("work is held up") && line.contains(#""subject":"schema""#)
            }.count
        }

        private func errorLines(_ child: Child) -> String {
            child.errors.split(separator: "\n").filter { $0.contains(#""level":"error""#) }.joined(
                separator: "\n")
        }

        private func check(_ scenario: Scenario, _ simulator: Simulated, jobs: Int) async throws {
            let books = try await scenario.books
            try demand(try await books.record.count(of: "succeeded") == jobs, "not all succeeded")
            try demand(try await simulator.calls() == jobs, "a call was made twice")
            try demand(try await books.record.attempts(status: "written_off") == 0, "a lease ran out")
            try await books.check()
            try await books.compare(with: simulator)
        }
    }
}

extension Scenario {
    fileprivate func schemaVersion() async throws -> Int {
        try await server().ask("SELECT version FROM renga").first ?? 0
    }
}
