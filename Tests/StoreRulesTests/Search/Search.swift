import Foundation
import Jobs
import StoreRules
import Testing

/// Walks from seeds, and what they found.
enum Search {
    static let environment = ProcessInfo.processInfo.environment
    static let isLong = environment["RENGA_LONG"] == "1"
    #if DEBUG
        static let isOptimised = false
    #else
        static let isOptimised = true
    #endif

    static func setting(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }

    struct Finding: Sendable {
        let seed: UInt64
        let step: Int
        let violations: [String]
        var trace: [String] = []
    }

    /// Steps of one walk, at the end of which every job must end.
    static func walk(
        _ seed: UInt64, steps: Int, locks: Locks, every: Int = 25, tracing: Bool = false,
        met: inout [String: Int]
    ) -> Finding? {
        var walk = RandomWalk(seed: seed, locks: locks, tracing: tracing)
        do {
            for step in 1...steps {
                try walk.step()
                walk.noteJobs()
                let found = step.isMultiple(of: every) ? walk.world.violations() : walk.world.faults
                if !found.isEmpty {
                    return Finding(
                        seed: seed, step: step, violations: found, trace: walk.trace ?? [])
                }
            }
            walk.count()
            let left = try walk.drain()
            met.merge(walk.met, uniquingKeysWith: +)
            guard !left.isEmpty else { return nil }
            return Finding(seed: seed, step: steps, violations: left, trace: walk.trace ?? [])
        } catch {
            return Finding(seed: seed, step: steps, violations: ["\(error)"], trace: walk.trace ?? [])
        }
    }

    /// The first walk that finds something, once more with all that it did, looking after every step.
    static func first(
        _ seeds: some Sequence<UInt64>, steps: Int, locks: Locks, met: inout [String: Int]
    ) -> Finding? {
        for seed in seeds {
            guard let found = walk(seed, steps: steps, locks: locks, met: &met) else { continue }
            var ignored: [String: Int] = [:]
            return walk(seed, steps: found.step, locks: locks, every: 1, tracing: true, met: &ignored)
                ?? walk(seed, steps: steps, locks: locks, tracing: true, met: &ignored) ?? found
        }
        return nil
    }
}

extension RandomWalk {
    /// How jobs stand, if that is another way than it was.
    fileprivate mutating func noteJobs() {
        guard trace != nil else { return }
        for (place, job) in world.jobs.enumerated() {
            let held = job.heldUntil.map { " until \($0 - World.start.timestamp)" } ?? ""
            let under = job.heldHash.map { " under \($0.prefix(3))" } ?? ""
            let words =
                "\(job.state)\(job.isReady ? ", ready" : "")\(held)\(under), \(job.attempts.count) attempts"
            guard standing[place] != words else { continue }
            standing[place] = words
            note { _ in "    job \(place) is \(words)" }
        }
    }

    /// What of the features stands in the rows.
    mutating func count() {
        let attempts = world.jobs.flatMap(\.attempts)
        met["calls", default: 0] += attempts.count
        met["fallbacks", default: 0] += attempts.count { $0.position > 0 }
        met["half price", default: 0] += attempts.count { $0.providerBatch != nil }
        met["lost leases", default: 0] += attempts.count { $0.status == .writtenOff }
        met["shared answers", default: 0] += world.jobs.count {
            $0.state == .succeeded && $0.attempts.last?.status != .settled
        }
        met["prefixes", default: 0] += world.prefixes.count
        met["quarantined jobs", default: 0] += world.jobs.count { $0.crashCount >= Poison.aloneAfter }
        met["budget windows", default: 0] += world.windows.count
    }
}
