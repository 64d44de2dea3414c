import Glibc
import JSON
import Testing

extension Proofs {
    /// All writers of a database server take turns, and one of them falls asleep in its own.
    @Suite struct HeldTurn {
        @Test(.enabled(if: Engine.all.contains(.postgres)))
        func `A worker stopped in the middle of a transaction holds up the others for seconds only`()
            async throws
        {
            try await Scenario.run(on: .postgres) { scenario in
                let simulator = try await scenario.simulator(["latency": "20ms"])
                let server = try await scenario.serve(simulator)
                let victim = try scenario.work(simulator, ["RENGA_CONCURRENCY": "10"])
                try await server.warmUp()
                let count = try await stopInItsTurn(victim, scenario, server)
                _ = try scenario.work(simulator, ["RENGA_CONCURRENCY": "10"])
                let start = ContinuousClock.now
                let answer = try await server.client.post("/v1/jobs?wait=30", #"{"prompt":"Is it over?"}"#)
                let seconds = (ContinuousClock.now - start).seconds
                Figures.print("a worker stopped in its turn", ["others waited": "\(seconds.text(2)) s"])
                try demand(answer.json?["state"]?.string == "succeeded", "\(answer.status) \(answer.text)")
                try demandPace(seconds < 8, "it took \(seconds.text(2)) s")

                victim.signal(SIGCONT)
                try await scenario.allFinished(within: .seconds(40))
                let books = try await scenario.books
                try demand(
                    try await books.record.count(of: "succeeded") == count + 2, "not all succeeded")
                try demand(try await simulator.calls() == count + 2, "a call was made twice")
                try await books.check()
            }
        }

        /// Stops it at random moments until one was in a transaction; returns how many jobs were enqueued meanwhile.
        private func stopInItsTurn(_ victim: Child, _ scenario: Scenario, _ server: Server) async throws
            -> Int
        {
            var count = 0
            for attempt in 1...200 {
                try await server.enqueue(20, as: "job-\(attempt)") { "Say \(attempt), \($0)." }
                count += 20
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...60)))
                victim.signal(SIGSTOP)
                try await Task.sleep(for: .milliseconds(150))
                if try await scenario.server().isTurnHeld() { return count }
                victim.signal(SIGCONT)
            }
            throw Disappointment("it was never in a transaction")
        }
    }
}

extension ServerDatabase {
    /// By one that asks nothing more.
    fileprivate func isTurnHeld() async throws -> Bool {
        try await !ask(
            """
            SELECT pid::bigint
            FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE locktype = 'advisory' AND granted AND classid = 7464 AND objid = 1
                AND state = 'idle in transaction' AND clock_timestamp() - state_change > '100 ms'
            """
        ).isEmpty
    }
}
