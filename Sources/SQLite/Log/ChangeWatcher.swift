import CSQLite
import Glibc
import System

/// Notices that any process has committed to the database, within about a millisecond, and costs nothing
/// while no process writes.
///
/// A write to the `-wal` file, which inotify reports, is the hint; `PRAGMA data_version` is the truth. The
/// directory is watched rather than the file, which may not exist yet or be made again, and which only
/// SQLite may open. A hint comes before its truth: the commit is visible only after the log has been synced.
/// So one hint is followed by several looks, further and further apart.
package final class ChangeWatcher: Sendable {
    private let subscribers = Subscribers()
    private let bell: EventFD

    /// Opens a connection of its own and starts the thread; the database must exist.
    package init(path: String) throws(SQLiteError) {
        let connection = try Connection(path: path, mode: .read)
        let bell = try system(EventFD(.semaphore))
        self.bell = bell
        // The watch before the baseline: a commit between the two is noticed.
        let hints = LogHints(of: connection)
        let version = try connection.dataVersion()
        try startThread(named: "sqlite-changes") { [subscribers] in
            let watch = ChangeWatch(connection: connection, version: version, hints: hints, bell: bell)
            while watch.waitForChange() { subscribers.publish() }
            subscribers.finish()
        }
    }

    deinit {
        stop()
    }

    /// Yields after commits, many of which may become one; commits of this process count too.
    ///
    /// What was committed before the call is not reported: subscribe first, then look, then wait.
    package func changes() -> AsyncStream<Void> {
        subscribers.add()
    }

    /// Ends the thread and all streams.
    package func stop() {
        bell.ring()
    }
}

/// The watching thread's state.
private final class ChangeWatch {
    private let connection: Connection
    private var version: String
    private let hints: LogHints
    private let bell: EventFD
    private var looks = Looks()
    private var hasReported = false

    /// A sync of the log takes 0.1 ms on a fast disk: looking at once would be too early.
    private static let firstLookNanoseconds = 250_000
    /// Under constant writing each report costs a wake, so they keep this distance.
    private static let pauseMilliseconds: Int32 = 5
    /// Without inotify (its instances are limited for each user) the truth is polled.
    private static let pollMilliseconds: Int32 = 50

    init(connection: Connection, version: String, hints: LogHints, bell: EventFD) {
        self.connection = connection
        self.version = version
        self.hints = hints
        self.bell = bell
    }

    /// Returns true after a commit, false once the bell has rung.
    func waitForChange() -> Bool {
        if hasReported, bell.rings(within: Self.pauseMilliseconds) { return false }
        while true {
            var descriptors = [
                pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: hints.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            poll(&descriptors, 2, patience)
            if descriptors[0].revents != 0 { return false }
            if descriptors[1].revents != 0, hints.drain() {
                looks.begin(at: csqlite_monotonic_ns())
                csqlite_sleep(Self.firstLookNanoseconds)
            } else if patience != 0, hints.areAvailable {
                // Another file of the directory.
                continue
            } else {
                looks.thinOut(at: csqlite_monotonic_ns())
            }
            if hasChanged() {
                hasReported = true
                return true
            }
        }
    }

    /// Milliseconds until the next look, as poll(2) wants them.
    private var patience: Int32 {
        guard hints.areAvailable else { return Self.pollMilliseconds }
        guard let next = looks.next else { return -1 }
        return Int32(max(0, (next - csqlite_monotonic_ns() + 999_999) / 1_000_000))
    }

    private func hasChanged() -> Bool {
        // A busy database does not answer; its silence must not become the new baseline.
        guard let now = try? connection.dataVersion(), now != version else { return false }
        version = now
        // The hints so far may have been for later commits too.
        looks.begin(at: csqlite_monotonic_ns())
        return true
    }
}
