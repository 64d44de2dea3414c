import FaultyDisk
import Foundation
import Jobs
import SQLite
import StoreAudit
import Testing
import TestSupport

/// Cuts the power at moments of a recording, and looks at what a new start finds.
struct PowerCut {
    /// Whose rows were found after a cut.
    private struct Found {
        let cut: String
        let rows: Int
    }

    private let recording: Recording
    private var random: SeededRandom
    private var sectorLog: SectorLog
    /// Of a hundred cuts away from a sync, so many are tried.
    private let share: Int
    /// The rows that are certain, as of the last sync.
    private var certain = 0
    private var acknowledged: Set<Int64> = []
    /// The rows after calls that were begun since the last sync: they may be found, or not.
    private var begun: Set<Int> = []
    private var isPruned = false
    /// Found since the last sync: what was certain then, or what the next one makes so.
    private var undecided: [Found] = []
    private var known: [Int: Survivor] = [:]
    private(set) var cuts = 0
    private(set) var violations: [String] = []

    init(_ recording: Recording, seed: UInt64, share: Int, obeysSyncs: Bool = true) {
        self.recording = recording
        self.share = share
        random = SeededRandom(seed: seed)
        sectorLog = SectorLog(obeysSyncs: obeysSyncs)
    }

    /// Every sync, just before and just after it, and a part of what lies between.
    mutating func cutEverywhere() async throws {
        certain = try await survivor(of: [:]).rows
        for (index, event) in recording.events.enumerated() {
            switch event {
            case .synced:
                for rest in SectorLog.Rest.allCases { try await cut("before sync", index, rest) }
                sectorLog.apply(event)
                try await cut("after sync", index, .dropped)
                decide(at: index)
            case .marked(let number):
                acknowledge(recording.acknowledgements[number], at: index)
            case .made, .removed:
                sectorLog.apply(event)
                try await cut("after a name", index, .torn)
            case .wrote, .truncated, .lost:
                sectorLog.apply(event)
                if Int.random(in: 0..<100, using: &random) < share {
                    try await cut("amid writes", index, .torn)
                }
            }
        }
    }

    /// What is found after a sync is certain; what was found before it is that, or was certain before.
    private mutating func decide(at index: Int) {
        guard let last = undecided.last else { return }
        let known = begun.union([certain, last.rows])
        for found in undecided where !known.contains(found.rows) {
            violations.append("\(found.cut): neither the state before nor the one after")
        }
        certain = last.rows
        undecided = []
        begun = []
    }

    private mutating func acknowledge(_ acknowledgement: Recording.Acknowledgement, at index: Int) {
        if let rows = acknowledgement.rows, rows != certain {
            if !acknowledgement.isPromise { begun.insert(rows) }
            // What wrote nothing itself promises nothing of the calls before it.
            if begun.contains(rows) { return }
            violations.append("event \(index): acknowledged, and not certain to be on disk")
        }
        acknowledged = Set(acknowledgement.jobs.map(\.value))
        isPruned = acknowledgement.isPruned
    }

    private mutating func cut(_ place: String, _ index: Int, _ rest: SectorLog.Rest) async throws {
        cuts += 1
        let name = "\(place), event \(index), the rest \(rest)"
        do {
            let survivor = try await survivor(of: sectorLog.image(rest, using: &random))
            let lost = acknowledged.subtracting(survivor.jobs)
            if !lost.isEmpty { violations.append("\(name): \(lost.count) acknowledged jobs are gone") }
            violations += survivor.violations.map { "\(name): \($0)" }
            undecided.append(Found(cut: name, rows: survivor.rows))
        } catch {
            violations.append("\(name): \(error)")
        }
    }

    private mutating func survivor(of image: [String: [UInt8]]) async throws -> Survivor {
        var hasher = Hasher()
        for (name, bytes) in image.sorted(by: { $0.key < $1.key }) {
            hasher.combine(name)
            bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
        let hash = hasher.finalize()
        if let survivor = known[hash] { return survivor }
        let survivor = try await Survivor(image, isPruned: isPruned)
        known[hash] = survivor
        return survivor
    }
}

/// What the real store makes of files that were left behind.
struct Survivor {
    let jobs: Set<Int64>
    let rows: Int
    let violations: [String]

    init(_ image: [String: [UInt8]], isPruned: Bool) async throws {
        let directory = try TemporaryDirectory()
        for (name, bytes) in image {
            try Data(bytes).write(to: URL(fileURLWithPath: "\(directory.path)/\(name)"))
        }
        let store = try await Backend.sqlite.open(directory)
        do {
            _ = try await store.stats()
            let connection = try Connection(path: directory.database, mode: .read)
            jobs = Set(try connection.query("SELECT id FROM job") { $0.int64(0) })
            rows = try connection.digest()
            let isSound = try connection.query("PRAGMA integrity_check") { $0.text(0) }
            violations =
                try Audit(connection: connection).violations(isPruned: isPruned)
                + (isSound == ["ok"] ? [] : isSound)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}
