import Foundation
import Testing
import TestSupport

/// Whatever a provider says, no number traps, and a route is never lost for it.
@Suite(.onThread) struct LedgerSequenceTests {
    /// `RENGA_LONG=1`: a million sequences.
    private static let count =
        ProcessInfo.processInfo.environment["RENGA_LONG"] == "1" ? 1_000_000 : 100_000
    /// `RENGA_SEED` repeats what went wrong.
    private static let seed =
        ProcessInfo.processInfo.environment["RENGA_SEED"].flatMap { UInt64($0) }
        ?? .random(in: 0...UInt64.max)
    private static let portion = 2500

    @Test func `After an honest answer a route calls again within a minute, whatever was said before`()
        async throws
    {
        print("\(Self.count) sequences over a route's ledger, RENGA_SEED=\(Self.seed) repeats them")
        let wrong = await withTaskGroup(of: String?.self) { group in
            for portion in 0..<(Self.count / Self.portion) {
                group.addTask { Self.run(portion) }
            }
            return await group.reduce(into: [String]()) { found, next in if let next { found.append(next) } }
        }
        #expect(wrong.isEmpty, "RENGA_SEED=\(Self.seed): \(wrong.prefix(3))")
    }

    private static func run(_ portion: Int) -> String? {
        var sequence = LedgerSequence(seed: seed &+ UInt64(portion))
        for number in 0..<Self.portion {
            if let wrong = sequence.run() { return "portion \(portion), sequence \(number): \(wrong)" }
        }
        return nil
    }
}
