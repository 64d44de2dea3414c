import CrashPoint
import Foundation
import System
import Testing

extension Proofs {
    /// A process dies at a named step, is started again as a supervisor would, and the books are read.
    @Suite struct CrashPoints {
        @Test(arguments: Death.all)
        func `Whatever step a process dies at, nothing acknowledged is lost and nothing is settled twice`(
            _ death: Death
        ) async throws {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator(death.load.pace)
                let deployment = try Deployment(scenario, simulator, death)
                var ids: [String] = []
                switch death.victim {
                case .server, .worker:
                    async let mourning: Void = deployment.run()
                    ids = try await death.load.deliver(to: deployment.client)
                    try await mourning
                case .migration:
                    try await deployment.dieAndRepeat(["migrate"])
                    try deployment.runUnharmed()
                    ids = try await death.load.deliver(to: deployment.client)
                case .backup:
                    try deployment.runUnharmed()
                    ids = try await death.load.deliver(to: deployment.client)
                    let copy = scenario.folder.path + "/copy.db"
                    try await deployment.dieAndRepeat(["backup", copy])
                    try await Books(path: copy).check()
                }
                try await death.load.check(
                    ids, deployment.client, scenario.record, arePruned: death.prunes)
                let books = try await scenario.books
                try await books.check(isPruned: death.prunes)
                try await books.compare(with: simulator)
            }
        }

        @Test func `Each crash point has a proof`() {
            let points = Death.all.map(\.point) + Moves.deaths.map(\.point)
            #expect(Set(points) == Set(CrashPoint.allCases))
        }

        @Test(.enabled(if: environmentVariable("RENGA_BINARY") != nil, "only optimised builds have none"))
        func `An optimised binary has no crash points`() throws {
            #expect(try names(in: Binary.path) == [])
            #expect(try names(in: Binary.withCrashPoints).count == CrashPoint.allCases.count + 1)
        }

        private func names(in path: String) throws -> [String] {
            let binary = try Data(contentsOf: URL(fileURLWithPath: path))
            return (["RENGA_CRASH_AT"] + CrashPoint.allCases.map(\.rawValue))
                .filter { binary.range(of: Data($0.utf8)) != nil }
        }
    }
}

/// Who dies where, at which time of coming there, and what comes in meanwhile.
struct Death: Sendable, CustomTestStringConvertible {
    enum Victim { case server, worker, migration, backup }

    let point: CrashPoint
    let count: Int
    let victim: Victim
    let load: Load

    /// Jobs are kept for a second only, until it dies.
    var prunes: Bool { [.pruneDeleted, .prunePortion].contains(point) }
    var testDescription: String { "\(point.rawValue):\(count), \(victim), \(load)" }

    static let all: [Death] =
        at(.databaseMade, .migration, short: [1])
        + at(.migrationStep, .migration, short: [1])
        + at(.commitBefore, .server, short: [1, 9], long: Array(1...30))
        + at(.commitAfter, .server, short: [1, 9], long: Array(1...30))
        + at(.commitBefore, .worker, short: [3, 12], long: Array(1...25))
        + at(.commitAfter, .worker, short: [4, 11], long: Array(1...25))
        + at(.commitBefore, .server, .call, short: [], long: [3, 4, 5, 6])
        + at(.commitAfter, .server, .call, short: [], long: [3, 4, 5, 6])
        + at(.checkpointLocked, .server, .large, short: [2], long: [1, 2])
        + at(.checkpointCopied, .server, .large, short: [2], long: [1, 2])
        + at(.backupCopied, .backup, short: [1])
        + at(.bulkPortion, .server, .bulk, short: [1], long: [1, 2])
        + at(.batchPortion, .server, .batch, short: [1], long: [1, 2])
        + at(.batchUploaded, .server, .batch, short: [1])
        + at(.batchOpened, .server, .batch, short: [1])
        + at(.attemptsClaimed, .worker, short: [2], long: [1, 2, 3, 4])
        + at(.attemptsClaimed, .server, .call, short: [1])
        + at(.requestConnected, .worker, short: [5], long: [1, 5, 20])
        + at(.requestPartlySent, .worker, .large, short: [1])
        + at(.answerBegun, .worker, short: [5], long: [1, 5, 20])
        + at(.answerPartlyRead, .worker, short: [5], long: [1, 5, 20])
        + at(.answerPartlyRead, .server, .call, short: [3], long: [1, 2, 3, 4, 5])
        + at(.attemptCalled, .worker, short: [5], long: [1, 5, 20])
        + at(.attemptCalled, .server, .call, short: [1])
        + at(.pruneDeleted, .worker, .bulk, short: [2], long: [1, 2])
        + at(.prunePortion, .worker, .bulk, short: [1])

    private static func at(
        _ point: CrashPoint, _ victim: Victim, _ load: Load = .jobs, short: [Int], long: [Int]? = nil
    ) -> [Death] {
        Form.pick(short: short, long: long ?? short).map {
            Death(point: point, count: $0, victim: victim, load: load)
        }
    }
}
