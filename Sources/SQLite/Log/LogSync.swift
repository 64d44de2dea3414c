import CSQLite

/// Which of the writer's commits a power cut can take away, and what a sync that failed leaves to do.
///
/// A commit syncs the log before it counts, unless all of its operations may wait: then the log is written, which a killed
/// process survives, and the next sync, by any process, makes it last. It comes soon: by itself if nothing else
/// is written. The log is one file and is read from its beginning, so a sync makes all commits before it last, those of other
/// processes too.
///
/// A sync that fails is the hard case: Linux takes what it held for written (https://lwn.net/Articles/752063/), so the next
/// sync succeeds, and a power cut would end the log at a commit that waited, with all that was synced after it. So after a
/// failed sync nothing is committed before the log was copied into the database. Linux tells each descriptor of the file of
/// the failure, so every process does the same.
final class LogSync {
    private let connection: Connection
    private var commitsSync = true
    /// Since when a commit has waited for a sync, in nanoseconds of the monotonic clock; nil if none does.
    private var behindSince: Int64?
    /// Whether a sync failed, and the log was not copied since.
    private(set) var mustCopy = false

    /// How long a commit waits at most: long enough for a busy writer never to need a sync of its own, short beside any
    /// provider's answer.
    private static let patienceNanoseconds: Int64 = 20_000_000

    init(of connection: Connection) {
        self.connection = connection
    }

    /// Whether commits wait for a sync.
    var isBehind: Bool { behindSince != nil }

    /// How many milliseconds a commit may still wait, rounded up; nil if none waits.
    var millisecondsLeft: Int32? {
        guard let behindSince else { return nil }
        let left = behindSince + Self.patienceNanoseconds - csqlite_monotonic_ns()
        return Int32(max(0, (left + 999_999) / 1_000_000))
    }

    /// Has the next transaction's commit sync the log, or not; only outside of a transaction.
    func commitsShallSync(_ syncs: Bool) throws(SQLiteError) {
        guard syncs != commitsSync else { return }
        // Only FULL syncs with each commit: https://sqlite.org/pragma.html#pragma_synchronous
        try connection.execute("PRAGMA synchronous = \(syncs ? "FULL" : "NORMAL")")
        commitsSync = syncs
    }

    /// A transaction that wrote was committed.
    func committed() {
        behindSince = commitsSync ? nil : behindSince ?? csqlite_monotonic_ns()
    }

    /// Makes all that was committed last.
    func sync() throws(SQLiteError) {
        guard isBehind else { return }
        let status = csqlite_sync_log(connection.handle)
        guard status == SQLITE_OK else {
            let error = SQLiteError(code: status, message: "the log cannot be synced")
            note(error)
            putOff()
            throw error
        }
        behindSince = nil
    }

    /// All that the log holds is in the database, and synced there.
    func copied() {
        behindSince = nil
        mustCopy = false
    }

    func note(_ error: any Error) {
        guard (error as? SQLiteError)?.code == SQLiteError.syncFailed else { return }
        mustCopy = true
    }

    /// What waits could not be made last: the next try is not due at once.
    func putOff() {
        if isBehind { behindSince = csqlite_monotonic_ns() }
    }
}
