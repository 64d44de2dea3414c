import System
import TestSupport

extension SeededRandom {
    /// Another sequence each time; `RENGA_SEED` repeats one.
    static func seeded() -> SeededRandom {
        SeededRandom(
            seed: environmentVariable("RENGA_SEED").flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max))
    }
}
