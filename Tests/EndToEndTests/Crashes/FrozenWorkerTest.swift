import Glibc
import Testing

extension Proofs {
    /// A worker that slept through its lease wakes up in a world that went on.
    @Suite struct FrozenWorker {
        @Test(arguments: Engine.all) func `A worker that wakes after its lease changes nothing`(
            on engine: Engine
        ) async throws {
            try await Scenario.run(on: engine) { scenario in
                let count = Form.pick(short: 20, long: 100)
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator)
                let settings = [
                    "RENGA_LEASE": "2s", "RENGA_CONCURRENCY": "\(count)", "RENGA_RPM": "100000",
                ]
                let frozen = try scenario.work(simulator, settings)
                try await server.warmUp()
                try await simulator.change(["latency": "1s", "latency-sigma": "0"])
                try await server.enqueue(count)
                try await eventually("all calls are in flight", every: .milliseconds(5)) {
                    try await simulator.inFlight() == count
                }
                frozen.signal(SIGSTOP)
                let other = try scenario.work(simulator, settings)
                try await scenario.allFinished(within: .seconds(30))
                let record = scenario.record
                let before = try await record.jobs()
                let lost = try await record.verdicts()["lease_lost"]?.attempts ?? 0

                frozen.signal(SIGCONT)
                try await eventually("the late answers are booked") {
                    try await (record.verdicts()["lease_lost"]?.attempts ?? 0) == 0
                }
                // It works on as if nothing had happened.
                await other.killAndWait()
                try await server.enqueue(5, as: "later") { "Later: \($0)." }
                try await scenario.allFinished(within: .seconds(30))

                let after = try await record.jobs()
                let calls = try await simulator.calls()
                Figures.print(
                    "4 a frozen worker",
                    [
                        "jobs": "\(count)", "leases lost": "\(lost)",
                        "late settlements": "\(lost)",
                        "jobs changed by them": "\(zip(before, after).filter { $0 != $1 }.count)",
                    ])
                try demand(lost == count, "\(lost) leases were lost, not \(count)")
                try demand(Array(after.prefix(before.count)) == before, "a late settlement changed a job")
                try demand(before.allSatisfy { $0.state == "succeeded" }, "not all succeeded")
                try demand(
                    calls == 2 * count + 6, "\(calls) calls for \(count + 6) jobs and \(count) lost leases")
            }
        }
    }
}
