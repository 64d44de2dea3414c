import Foundation
import TestSupport
import Testing

/// The power is cut at any moment of a random schedule of work, and the real store opens what the disk kept.
@Suite(.onThread) struct PowerCutTests {
    private static let isLong = ProcessInfo.processInfo.environment["RENGA_LONG"] == "1"
    private static let seeds: [UInt64] =
        isLong
        ? [1, .random(in: 2...999_999_999), .random(in: 2...999_999_999)] : [.random(in: 1...999_999_999)]

    @Test(arguments: seeds)
    func `whenever the power is cut, what was acknowledged is there, whole, and nothing by halves`(
        _ seed: UInt64
    ) async throws {
        let recording = try await Recording.make(seed: seed, steps: Self.isLong ? 200 : 48)
        var power = PowerCut(recording, seed: seed, share: Self.isLong ? 10 : 2)
        try await power.cutEverywhere()
        print(
            "power cut \(power.cuts) times in \(recording.events.count) events, seed \(seed): \(power.violations.count) violations"
        )
        #expect(power.violations.prefix(5) == [], "seed \(seed)")
        #expect(recording.events.count > 1_000, "the disk was not watched")
    }

    @Test func `a disk that does not obey syncs would be noticed`() async throws {
        let recording = try await Recording.make(seed: 1, steps: 3)
        var power = PowerCut(recording, seed: 1, share: 0, obeysSyncs: false)
        try await power.cutEverywhere()
        #expect(power.violations.contains { $0.contains("acknowledged") })
    }
}
