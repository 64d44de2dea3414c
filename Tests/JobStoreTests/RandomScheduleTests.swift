import Foundation
import Jobs
import Testing

/// Random schedules of everything that may happen to a store, its rows audited along the way.
@Suite struct RandomScheduleTests {
    /// `RENGA_TEST_STEPS` asks for more, `RENGA_TEST_SEED` repeats a schedule.
    private static let steps = setting("RENGA_TEST_STEPS") ?? 700
    private static let seeds =
        setting("RENGA_TEST_SEED").map { [UInt64($0)] }
        ?? (0..<3).map { _ in UInt64.random(in: 1...999_999_999) }

    private static func setting(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    @Test(arguments: Backend.allCases, seeds)
    func `whatever happens in whatever order, nothing is lost, doubled or miscounted`(
        _ backend: Backend, seed: UInt64
    ) async throws {
        print("random schedule: RENGA_TEST_SEED=\(seed) RENGA_TEST_STEPS=\(Self.steps)")
        try await Bench.run(backend) { bench in
            let second = try await backend.open(bench.directory)
            do {
                let schedule = try await Schedule(bench, second, seed: seed)
                for step in 1...Self.steps {
                    try await schedule.step()
                    if step.isMultiple(of: 50) {
                        try bench.audit()
                        try await schedule.audit()
                    }
                }
                try await schedule.finishEverything()
                try await schedule.audit()
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
            await second.close()
        }
    }
}
