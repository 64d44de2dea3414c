import FaultyDisk
import Foundation
import JobStoreSQLite
import Jobs
import SQLite
import TestSupport
import Testing

@testable import StoreConformance

/// One operation of the disk after the other fails, and nothing comes of it but refusals.
@Suite(.onThread) struct FailingDiskTests {
    enum Illness: String, CaseIterable, Sendable {
        case full, broken

        /// SQLite's result codes, by https://sqlite.org/rescode.html.
        var codes: [Disk.Operation: Int32] {
            switch self {
            // SQLITE_FULL; SQLITE_CANTOPEN; SQLITE_IOERR_SHMSIZE
            case .full: [.write: 13, .open: 14, .share: 10 | 19 << 8]
            // SQLITE_IOERR_WRITE, _FSYNC, _TRUNCATE; SQLITE_CANTOPEN; SQLITE_IOERR_SHMMAP
            case .broken:
                [
                    .write: 10 | 3 << 8, .sync: 10 | 4 << 8, .truncate: 10 | 6 << 8, .open: 14,
                    .share: 10 | 21 << 8,
                ]
            }
        }
    }

    private static let isLong = ProcessInfo.processInfo.environment["RENGA_LONG"] == "1"

    @Test(arguments: Illness.allCases, [1, .max])
    func `whichever operation fails, what was acknowledged stays, and work goes on when the disk is well`(
        _ illness: Illness, _ count: Int
    ) async throws {
        // The short form tries some of the places, others each time.
        let step = Self.isLong ? 3 : 41
        var first = Int.random(in: 1...step)
        var places = 0
        while try await fails(Disk.Fault(codes: illness.codes, first: first, count: count)) {
            places += 1
            first += step
        }
        print("\(illness) disk, \(count == 1 ? "once" : "for a while"): \(places) places of \(first)")
        #expect(places > 5)
    }

    /// What a failed sync held is read back all the same, and whoever opens the log first finds it there and builds upon it.
    @Test func `a sync that fails, a new start and a power cut lose nothing`() async throws {
        let syncs = Illness.broken.codes.filter { $0.key == .sync }
        var first = 1
        while try await fails(Disk.Fault(codes: syncs, first: first, count: 1), restarts: true) { first += 1 }
        #expect(first > 12)
    }

    @Test(arguments: Illness.allCases)
    func `a store whose last write failed is not ready until one succeeds`(_ illness: Illness) async throws {
        let directory = try TemporaryDirectory()
        let disk = Disk(folder: directory.path)
        defer { disk.unplug() }
        let store = try await SQLiteDatabase(directory).openFile()
        _ = try await store.checkReady()
        disk.set(Disk.Fault(codes: illness.codes, first: 1, count: .max))
        for _ in 0..<2 {
            let refused = await #expect(throws: JobStoreError.self) {
                _ = try await store.createBatch(name: "b", metadata: nil)
            }
            let unready = await #expect(throws: JobStoreError.self) { _ = try await store.checkReady() }
            #expect(
                refused?.code == (illness == .full ? .full : .unavailable) && unready?.code == refused?.code)
        }
        disk.set(nil)
        _ = try await store.checkReady()
        await store.close()
    }

    /// Whether there was anything left to fail.
    private func fails(_ fault: Disk.Fault, restarts: Bool = false) async throws -> Bool {
        let directory = try TemporaryDirectory()
        let disk = Disk(folder: directory.path)
        defer { disk.unplug() }
        let errand = FaultScenario(directory)
        disk.set(fault)
        await errand.run()
        let failures = disk.failures
        disk.set(nil)
        if restarts { await errand.close() }
        let place = "operation \(fault.first) and \(failures - 1) more"
        try await errand.resume()
        #expect(errand.surprises.isEmpty, "\(place)")
        #expect(try SQLiteDatabase(directory).violations().isEmpty, "\(place)")
        let connection = try Connection(path: directory.database, mode: .read)
        #expect(try connection.query("PRAGMA integrity_check") { $0.text(0) } == ["ok"], "\(place)")
        // And where the power goes now, what a failed sync lost is written again or was never acknowledged.
        var sectorLog = SectorLog()
        for event in disk.events { sectorLog.apply(event) }
        var random = SystemRandom()
        let survivor = try await Survivor(sectorLog.image(.dropped, using: &random), isPruned: false)
        let rows = try connection.digest()
        #expect(survivor.violations == [] && survivor.rows == rows, "\(place)")
        await errand.close()
        return failures > 0
    }
}
