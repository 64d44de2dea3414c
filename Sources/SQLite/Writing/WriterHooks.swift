/// What the owner of a writer wants to know, on the writer's thread; closures must be quick.
///
/// They let it gather changes in memory (counters, say) while operations run, and write them once in each
/// transaction: gather in operations, take a mark in `operationBegins`, go back to it in `operationUndone`,
/// drop everything in `transactionUndone`, write it in `beforeCommit`, forget it in `committed`.
package struct WriterHooks: Sendable {
    package typealias Notice = @Sendable () -> Void

    package var operationBegins: Notice?
    /// The operation threw; its changes are undone, and its neighbours' are kept.
    package var operationUndone: Notice?
    /// Runs as the last part of every transaction; what it throws undoes the transaction.
    package var beforeCommit: (@Sendable (Connection) throws -> Void)?
    /// The transaction is committed; no caller knows yet.
    package var committed: Notice?
    /// Nothing of the transaction is committed; its operations run again or are refused.
    package var transactionUndone: Notice?

    /// A reader keeps the log from starting afresh; told again and again while it does.
    package var readerStays: (@Sendable (LongReader) -> Void)?

    package init(
        operationBegins: Notice? = nil, operationUndone: Notice? = nil,
        beforeCommit: (@Sendable (Connection) throws -> Void)? = nil,
        committed: Notice? = nil, transactionUndone: Notice? = nil,
        readerStays: (@Sendable (LongReader) -> Void)? = nil
    ) {
        self.readerStays = readerStays
        self.operationBegins = operationBegins
        self.operationUndone = operationUndone
        self.beforeCommit = beforeCommit
        self.committed = committed
        self.transactionUndone = transactionUndone
    }
}
