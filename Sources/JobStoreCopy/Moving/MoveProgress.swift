/// How far a move has come.
package struct MoveProgress: Sendable, Equatable {
    /// What is done with the rows.
    package enum Work: Sendable, Equatable {
        case copying
        /// They are read again, in both databases.
        case comparing
    }

    package let work: Work
    /// At which it is.
    package let table: String
    /// Of all tables; those that an earlier run has copied are among them.
    package let rows: Int
    package let total: Int
}

/// Counts rows, and tells how far a move has come.
final class MoveMeter {
    private let total: Int
    private var work = MoveProgress.Work.copying
    private var rows: Int
    private let tell: @Sendable (MoveProgress) -> Void

    /// Some rows may have been copied before.
    init(total: Int, copied: Int, _ tell: @escaping @Sendable (MoveProgress) -> Void) {
        self.total = total
        rows = copied
        self.tell = tell
    }

    func add(_ table: CopiedTable, _ count: Int) {
        rows += count
        let total = work == .copying ? total : 2 * total
        tell(MoveProgress(work: work, table: table.name, rows: min(rows, total), total: total))
    }

    /// Each row is read twice from now on.
    func beginComparing() {
        work = .comparing
        rows = 0
    }
}
