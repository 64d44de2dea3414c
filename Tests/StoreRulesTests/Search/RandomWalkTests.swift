import StoreRules
import TestSupport
import Testing

/// Whatever happens to a store, decided by the rules that ship.
@Suite(.onThread) struct RandomWalkTests {
    /// `RENGA_TEST_STEPS` asks for longer walks, `RENGA_TEST_SEED` repeats one (with `SWIFT_DETERMINISTIC_HASHING=1`).
    private static let steps = Search.setting("RENGA_TEST_STEPS") ?? 2_000
    private static let walks = Search.isLong ? 2_000 : Search.isOptimised ? 100 : 6

    @Test(arguments: ["sqlite", "postgres"])
    func `whatever happens in whatever order, no invariant breaks and every job ends`(_ store: String) {
        let first = UInt64.random(in: 1...999_999_999)
        let seeds =
            Search.setting("RENGA_TEST_SEED").map { [UInt64($0)] }
            ?? (0..<UInt64(Self.walks)).map { first + $0 }
        var met: [String: Int] = [:]
        let start = ContinuousClock.now
        let found = Search.first(
            seeds, steps: Self.steps, locks: store == "sqlite" ? .sqlite : .postgres, met: &met)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let perMinute = Int(Double(seeds.count * Self.steps) / seconds * 60)
        print(
            "\(store): \(seeds.count) walks of \(Self.steps) steps, \(perMinute) steps a minute, met \(met.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))"
        )
        guard let found else { return }
        Issue.record(
            """
            \(found.violations.joined(separator: "\n"))
            step \(found.step); RENGA_TEST_SEED=\(found.seed) RENGA_TEST_STEPS=\(Self.steps) SWIFT_DETERMINISTIC_HASHING=1
            \(found.trace.suffix(Search.setting("RENGA_TEST_TRACE") ?? 60).joined(separator: "\n"))
            """)
    }
}
