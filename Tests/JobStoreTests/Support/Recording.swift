import FaultyDisk
import Jobs
import SQLite
import Testing

@testable import StoreConformance

/// Everything that a random schedule of work did to its disk, and what was acknowledged when.
struct Recording: Sendable {
    /// What callers had been told at a mark: these jobs are in, and the rows are these.
    struct Acknowledgement: Sendable {
        var jobs: [JobID]
        /// Nil while others' operations were still on their way.
        var rows: Int?
        /// From now on jobs may go.
        var isPruned = false
        /// False for calls that were only begun: nobody was promised anything, so a cut may take them, whole.
        var isPromise = true
    }

    private(set) var events: [Disk.Event] = []
    private(set) var acknowledgements: [Acknowledgement] = []

    static func make(seed: UInt64, steps: Int) async throws -> Recording {
        let directory = try TemporaryDirectory()
        let disk = Disk(folder: directory.path)
        defer { disk.unplug() }
        var recording = Recording()
        try await StoreHarness.run(on: SQLiteDatabase(directory)) { harness in
            let second = try await harness.openAnother()
            let rows = try Connection(path: directory.database, mode: .read)
            let schedule = try await Schedule(harness, second, seed: seed)
            func acknowledge(_ jobs: [JobID], isPromise: Bool = true) throws {
                disk.mark(recording.acknowledgements.count)
                recording.acknowledgements.append(
                    Acknowledgement(
                        jobs: jobs, rows: try rows.digest(), isPruned: harness.isPruned, isPromise: isPromise)
                )
            }
            for step in 1...steps {
                try await schedule.step()
                try acknowledge(schedule.known, isPromise: schedule.hasPromised)
                if step.isMultiple(of: 12) {
                    try await copyTheLog(harness)
                    try acknowledge(schedule.known)
                }
            }
            let crowd = try await enqueueAtOnce(harness.store, second) { jobs in
                disk.mark(recording.acknowledgements.count)
                recording.acknowledgements.append(Acknowledgement(jobs: schedule.known + jobs, rows: nil))
            }
            try acknowledge(schedule.known + crowd)
            harness.isPruned = true
            try acknowledge([])
            _ = try await harness.store.prune(olderThan: 0)
            try await copyTheLog(harness)
            try acknowledge([])
            await second.close()
        }
        recording.events = disk.events
        return recording
    }

    /// A third process comes and goes: whoever closes copies the log, and the next write begins it afresh.
    private static func copyTheLog(_ harness: StoreHarness) async throws {
        let third = try await harness.openAnother()
        let worker = try await third.register(
            NewWorker(name: "passing", host: "here", processID: 3, slots: 1))
        try await third.unregister(worker)
        await third.close()
    }

    /// Many callers at two processes; each is told for itself.
    private static func enqueueAtOnce(
        _ first: any WholeStore, _ second: any WholeStore, _ told: ([JobID]) -> Void
    ) async throws -> [JobID] {
        try await withThrowingTaskGroup(of: [JobID].self) { group in
            for number in 0..<24 {
                let job = try Sample.job("of a crowd \(number)")
                let store = number.isMultiple(of: 2) ? first : second
                group.addTask {
                    try await store.enqueue([job], atomically: true).compactMap(\.id)
                }
            }
            var all: [JobID] = []
            for try await ids in group {
                all += ids
                told(all)
            }
            return all
        }
    }
}

extension Connection {
    /// Of every row of every table.
    func digest() throws -> Int {
        var hasher = Hasher()
        try snapshot {
            let tables = try query(
                "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", [], { $0.text(0) })
            for table in tables {
                hasher.combine(table)
                let columns = try query(
                    "SELECT name FROM pragma_table_info(?1)", [.text(table)], { "quote(\"\($0.text(0))\")" })
                let row = columns.joined(separator: " || ',' || ")
                try forEach(SQL("SELECT \(row) FROM \"\(table)\"")) { hasher.combine($0.text(0)) }
            }
        }
        return hasher.finalize()
    }
}
