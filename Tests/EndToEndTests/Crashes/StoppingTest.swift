import Glibc
import Testing

extension Proofs {
    /// Asked to stop, a worker finishes what it can and gives back the rest.
    @Suite struct Stopping {
        @Test(arguments: Engine.all)
        func `SIGTERM under load finishes the calls in flight, and nothing is lost or repeated`(
            on engine: Engine
        )
            async throws
        {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator)
                let settings = ["RENGA_CONCURRENCY": "20", "RENGA_SHUTDOWN_TIMEOUT": "10s"]
                let first = try scenario.work(simulator, settings)
                try await server.warmUp()
                try await simulator.change(["latency": "1s", "latency-sigma": "0.2"])
                try await server.enqueue(100)
                try await eventually("twenty calls are in flight") { try await simulator.inFlight() == 20 }
                let (exit, seconds) = try await stop(first, within: .seconds(10))
                let open = try await scenario.record.attempts(status: "open")
                let done = try await scenario.record.count(of: "succeeded")
                _ = try scenario.work(simulator, settings)
                try await scenario.allFinished(within: .seconds(60))
                let calls = try await simulator.calls()
                let (serverExit, _) = try await stop(server.child, within: .seconds(10))
                Figures.print(
                    "9 stopping",
                    [
                        "SIGTERM with 20 calls of 1 s in flight": "\(seconds.text(2)) s, \(exit)",
                        "jobs": "101", "calls": "\(calls)", "serve on SIGTERM": "\(serverExit)",
                    ])
                try demand(
                    exit == .status(0) && serverExit == .status(0), "work: \(exit), serve: \(serverExit)")
                try demand(open == 0 && done >= 20, "\(open) attempts were left open, \(done) jobs were done")
                try demand(calls == 101, "\(calls) calls for 101 jobs")
                try demand(try await scenario.record.notSettledOnce() == 0, "a job was settled twice")
            }
        }

        @Test(arguments: Engine.all) func `Calls longer than the grace are handed back without blame`(
            on engine: Engine
        ) async throws {
            try await Scenario.run(on: engine) { scenario in
                let (simulator, server) = try await busy(scenario, grace: "1s")
                let (exit, seconds) = try await stop(server.worker, within: .seconds(8))
                let record = scenario.record
                let queued = try await record.count(of: "queued")
                Figures.print(
                    "9 stopping", ["SIGTERM with calls of 20 s, grace 1 s": "\(seconds.text(2)) s, \(exit)"])
                try demand(exit == .status(0), "ended with \(exit)")
                let open = try await record.attempts(status: "open")
                try demand(queued == 10 && open == 0, "\(queued) of 10 were handed back")
                try demand(try await record.blamed() == 0, "attempts were blamed")
                try await simulator.change(["latency": "0"])
                _ = try scenario.work(simulator)
                try await scenario.allFinished(within: .seconds(20))
            }
        }

        @Test(arguments: Engine.all) func `A second SIGTERM stops at once`(on engine: Engine) async throws {
            try await Scenario.run(on: engine) { scenario in
                let (_, server) = try await busy(scenario, grace: "60s")
                server.worker.signal(SIGTERM)
                try await eventually("it drains") { server.worker.errors.contains("stopping") }
                let (exit, seconds) = try await stop(server.worker, within: .seconds(5))
                Figures.print("9 stopping", ["second SIGTERM": "\(seconds.text(2)) s, \(exit)"])
                try demandPace(seconds < 2, "took \(seconds.text(2)) s")
            }
        }

        @Test(arguments: Engine.all) func `An idle worker and an idle server use hardly any processor time`(
            on engine: Engine
        ) async throws {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator)
                let worker = try scenario.work(simulator)
                try await server.warmUp()
                let window = Form.pick(short: 4, long: 30)
                let before = (try worker.cpuSeconds(), try server.child.cpuSeconds())
                try await Task.sleep(for: .seconds(window))
                let after = (try worker.cpuSeconds(), try server.child.cpuSeconds())
                let shares = [after.0 - before.0, after.1 - before.1].map { $0 / Double(window) * 100 }
                Figures.print(
                    "9 stopping",
                    ["idle worker": "\(shares[0].text(2)) %", "idle server": "\(shares[1].text(2)) %"])
                try demandPace(shares[0] <= 2, "an idle worker takes \(shares[0].text(2)) % of a processor")
                try demandPace(shares[1] <= 2, "an idle server takes \(shares[1].text(2)) % of a processor")
            }
        }

        /// A worker with ten calls in flight that take 20 s.
        private func busy(_ scenario: Scenario, grace: String) async throws -> (
            Simulated, (server: Server, worker: Child)
        ) {
            let simulator = try await scenario.simulator()
            let server = try await scenario.serve(simulator)
            let worker = try scenario.work(simulator, ["RENGA_SHUTDOWN_TIMEOUT": grace])
            try await server.warmUp()
            try await simulator.change(["latency": "20s", "latency-sigma": "0"])
            try await server.enqueue(10)
            try await eventually("ten calls are in flight") { try await simulator.inFlight() == 10 }
            return (simulator, (server, worker))
        }

        private func stop(_ child: Child, within bound: Duration) async throws -> (Child.Exit, Double) {
            let start = ContinuousClock.now
            child.signal(SIGTERM)
            guard let exit = await child.exit(within: bound) else {
                throw Disappointment("\(child.name) did not stop within \(bound.seconds.text()) s")
            }
            return (exit, (ContinuousClock.now - start).seconds)
        }
    }
}
