import JobStoreSQLite
import Jobs
import SQLite
import System
import Telemetry

/// A file of this machine.
struct SQLiteDatabase: Database {
    let path: String
    /// Who may read and write files that are made; the umask takes its part away.
    let fileMode: UInt32

    /// The log alone grows to 40 MB and more.
    private static let leastFileSize = 128 << 20

    var name: String { path }
    var stated: String { absolutePath(path) }

    func forTrial() -> any Database { SQLiteDatabase(path: Self.trialPath(path), fileMode: fileMode) }

    /// `./renga.db` becomes `./renga-demo.db`.
    static func trialPath(_ path: String) -> String {
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return path + "-demo" }
        return path.dropLast(name.count) + name[..<dot] + "-demo" + name[dot...]
    }

    func missing(_ invocation: Invocation) -> MissingDatabase? { MissingDatabase(path, invocation) }

    func checkLimits() throws {
        let limit = fileSizeLimit()
        let needed = max(Self.leastFileSize, (fileSize(path) ?? 0) + (64 << 20))
        guard limit >= needed else {
            throw Failure(
                """
                the limit of file size is \(Text.bytes(limit)) (ulimit -f), and the database with its log needs \
                \(Text.bytes(needed)): run `ulimit -f unlimited`
                """)
        }
    }

    func open(_ terms: OpeningTerms) async throws -> any OpenDatabase {
        OpenSQLite(sqlite: try await store(terms))
    }

    func backup(to copy: String) async throws {
        let store = try await store(OpeningTerms())
        do {
            try await store.backup(to: copy)
        } catch {
            await store.close()
            throw Failure("the backup to “\(copy)” failed: \(error)")
        }
        await store.close()
    }

    func restore(from file: String, isTrial: Bool) throws -> Restored {
        do {
            let done = try Restoration(
                of: path, by: file, isTrial: isTrial, fileMode: fileMode, at: SystemNow().now().timestamp)
            return Restored(
                schemaVersion: done.schemaVersion, jobs: done.jobs, wasInUse: done.wasInUse, kept: done.kept)
        } catch let error as JobStoreError {
            throw Failure("\(error.message). Nothing was restored")
        }
    }

    private func store(_ terms: OpeningTerms) async throws -> SQLiteJobStore {
        let log = terms.log
        let options = SQLiteOptions(
            fileMode: fileMode, calendarPatience: terms.calendarPatience,
            onLongReader: { reader in log.warning("a reader keeps the log growing", reader.fields) })
        do {
            return try await SQLiteJobStore(
                path: path, settings: terms.settings, options: options, clock: SystemNow())
        } catch let error as JobStoreError {
            throw Failure("RENGA_DATABASE is “\(path)”, which cannot be used: \(error.message)")
        }
    }
}

private struct OpenSQLite: OpenDatabase {
    let sqlite: SQLiteJobStore

    var store: any WholeStore { sqlite }
    var calendar: (any CalendarAttesting)? { sqlite }
    var engine: (name: String, version: String) { ("sqlite", SQLiteVersion.current) }

    func remark(in log: Log) {
        guard SQLiteVersion.hasWALResetBug else { return }
        log.debug(
            "this SQLite's WAL-reset bug cannot occur: checkpoints run under the write lock only",
            ["sqlite": "\(SQLiteVersion.current)", "fixed_in": "3.51.3"])
    }

    var work: Log.Fields {
        let writing = sqlite.writing
        return [
            "transactions": .int(writing.transactions), "checkpoints": .int(writing.checkpoints),
            "checkpoints_incomplete": .int(writing.checkpointsIncomplete),
            "longest_checkpoint_ms": .int(Int(writing.longestCheckpointSeconds * 1000)),
            "longest_lock_wait_ms": .int(Int(writing.longestLockWaitSeconds * 1000)),
            "longest_transaction_ms": .int(Int(writing.longestTransactionSeconds * 1000)),
        ]
    }
}

extension LongReader {
    /// As a log line has them.
    fileprivate var fields: Log.Fields {
        [
            "seconds": .int(Int(seconds)), "log_pages": .int(logPages),
            "readers": "\(processes.map(String.init).joined(separator: " "))",
            "detail":
                "it has kept one view of the database open for this long, and writers wait for it: end that process",
        ]
    }
}
