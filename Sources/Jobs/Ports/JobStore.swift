/// Where jobs live: the seam between what renga is and the database that holds it.
///
/// Domain verbs, one transaction each; no connection, SQL or dialect crosses it. What a method has returned is on
/// disk. Every method is safe to call from any number of processes on one database. Errors are `JobStoreError`.
package protocol Store: Clock {
    /// The time by which the store judges leases, limits and calendar days, the same for all processes of its database.
    ///
    /// An operation goes by the time at which it was handed in.
    func now() -> Now
    /// Yields after the database may have changed, whichever process changed it; many changes may be one element.
    func changes() -> AsyncStream<Void>
    /// Ends the store's threads after what was accepted is done.
    func close() async
}

/// All that a database does for renga; each part of the program sees only the verbs that it uses.
package typealias JobStore = Enqueueing & Working & Changing & Reading

/// All ports that every store has; `CalendarAttesting` is of some.
package typealias WholeStore = JobStore & MessageBatchStore & ProviderBatchStore & ConfigurationStating

/// Why the store could not do as asked.
package struct JobStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// No room on the disk: nothing was changed; try again when there is.
        case full
        /// The disk or the file system failed.
        case unavailable
        /// Another program holds the database's lock.
        case locked
        /// The database's schema is newer than this program.
        case schemaTooNew
        /// The file is not a renga database, or cannot be one (a network volume).
        case unsuitable
        /// The database's file is no longer where it was opened.
        case moved
        /// The store was closed.
        case closed
        /// A configuration file states it, and only there it can be changed.
        case statedByConfiguration
        /// Another configuration is in force than this process has.
        case superseded
        case `internal`
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
