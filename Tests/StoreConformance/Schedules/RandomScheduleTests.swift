import Foundation
import Jobs
import Synchronization
import TestSupport
import Testing

/// Random schedules of everything that may happen to a store, its rows audited along the way.
@Suite struct RandomScheduleTests {
    /// `RENGA_TEST_STEPS` asks for longer schedules, `RENGA_TEST_SEEDS` for more, `RENGA_TEST_SEED` repeats one
    /// (with `SWIFT_DETERMINISTIC_HASHING=1`, as sets are walked too).
    private static let steps = setting("RENGA_TEST_STEPS") ?? 700
    private static let seeds =
        setting("RENGA_TEST_SEED").map { [UInt64($0)] }
        ?? (1..<max(2, setting("RENGA_TEST_SEEDS") ?? 4)).map { _ in UInt64.random(in: 1...999_999_999) } + [
            1
        ]

    private static func setting(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    /// Each of two routes in the other's place, for every cause; with odd seeds.
    private static let fallbacks = FallbackChains([
        Sample.route: [Fallback(route: Sample.otherModel, causes: Set(Fallback.Cause.allCases))],
        Sample.otherModel: [Fallback(route: Sample.route, causes: Set(Fallback.Cause.allCases))],
    ])

    @Test(arguments: StoreUnderTest.all, seeds)
    func `whatever happens in whatever order, nothing is lost, doubled or miscounted`(
        _ tested: StoreUnderTest, seed: UInt64
    ) async throws {
        let settings = "RENGA_TEST_SEED=\(seed) RENGA_TEST_STEPS=\(Self.steps)"
        print("random schedule: SWIFT_DETERMINISTIC_HASHING=1 \(settings)")
        let fallbacks = seed.isMultiple(of: 2) ? FallbackChains() : Self.fallbacks
        let randomness = SharedRandom(seed: seed &+ 2)
        let terms = StoreTerms(fallbacks: fallbacks, randomness: { randomness })
        try await StoreHarness.run(tested, terms) { harness in
            var others = terms
            // Calls of a serving process reserve less than their limit, and more than their answers take.
            if seed.isMultiple(of: 5) { others.interactiveReserveTokens = 10 }
            let second = try await harness.openAnother(others)
            do {
                let schedule = try await Schedule(harness, second, seed: seed)
                for step in 1...Self.steps {
                    try await schedule.step()
                    // It reads all rows, which are many after a while.
                    if step.isMultiple(of: step <= 1_000 ? 50 : 125) {
                        try await harness.audit()
                        try await schedule.audit()
                    }
                    if step.isMultiple(of: step <= 1_000 ? 100 : 1_000) { try await schedule.auditLists() }
                }
                let met = try await harness.database.featuresMet()
                print("seed \(seed) met " + met.map { "\($0.feature): \($0.times)" }.joined(separator: ", "))
                try await schedule.finishEverything()
                try await schedule.audit()
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
            await second.close()
        }
    }
}

/// Two stores draw from it in turn.
final class SharedRandom: RandomNumberGenerator, Sendable {
    private let state: Mutex<SeededRandom>

    init(seed: UInt64) { state = Mutex(SeededRandom(seed: seed)) }

    func next() -> UInt64 { state.withLock { $0.next() } }
}
