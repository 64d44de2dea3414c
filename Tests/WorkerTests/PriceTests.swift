import Jobs
import Telemetry
import Testing

@Suite(.timeLimit(.minutes(1))) struct PriceTests {
    @Test func `A route without a price is named once, and one with a price never`() async throws {
        let lines = Observed<[String]>([])
        let log = Log(level: .warning, format: .json, now: { 0 }) { bytes in
            lines.change { $0.append(String(decoding: bytes, as: UTF8.self)) }
        }
        let harness = StoreHarness(log: log)
        var attempts = harness.attempts(1...5)
        for index in [1, 3] { attempts[index].route.model = "another" }
        // The answer's model has no price, the route's has.
        attempts[4].route.model = "claude-haiku-4-5"
        harness.store.add(attempts)
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.settled.count == 5 })
        }
        let told = lines.now.filter { $0.contains("no price is known") }
        #expect(told.count == 2)
        #expect(told.contains { $0.contains("fake/another") } && told.contains { $0.contains("fake/m") })
    }
}
