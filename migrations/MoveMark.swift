/// What a database says of itself while it takes part in a move: its schema version is below zero then, and no store opens it.
///
/// It is the one row of the table `move_mark`, which is there as long as the version is below zero.
package struct MoveMark: Sendable, Equatable {
    /// How the rows of a database stand.
    package enum State: String, Sendable {
        /// They come in, and are not all there.
        case arriving
        /// They are being copied into another database, and must not change.
        case leaving
        /// They are in another database, and jobs go on there.
        case left
    }

    package var state: State
    /// The move's own, which both of its databases have; 0 for a copy that is no move.
    package let id: Int64
    /// What both are called, as a shell takes it.
    package let source: String
    package let target: String
    /// In milliseconds UTC.
    package let begunAt: Int64
    /// How moments of a file's boot clock are told in the numbers of a server's clock.
    package let boot: Int64
    package let difference: Int64

    package init(
        _ state: State, id: Int64, source: String, target: String, begunAt: Int64, boot: Int64,
        difference: Int64
    ) {
        self.state = state
        self.id = id
        self.source = source
        self.target = target
        self.begunAt = begunAt
        self.boot = boot
        self.difference = difference
    }

    package static let columns = "state, id, source, target, begun_at, boot, difference"

    package static let fileTable = """
        CREATE TABLE move_mark (
            state TEXT NOT NULL, id INTEGER NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, begun_at INTEGER NOT NULL,
            boot INTEGER NOT NULL, difference INTEGER NOT NULL
        ) STRICT
        """

    package static let serverTable = """
        CREATE TABLE move_mark (
            state text NOT NULL, id bigint NOT NULL, source text NOT NULL, target text NOT NULL, begun_at bigint NOT NULL,
            boot bigint NOT NULL, difference bigint NOT NULL
        )
        """
}

extension MoveMark {
    /// The command that begins the move, and goes on with it.
    package var command: String { "renga move --from \(source) --to \(target)" }
    /// The command after which the source is worked on as if there had been no move.
    package var takingBack: String { "renga move --from \(source) --take-back" }

    /// Why nobody may work on the database, and what to do; `time` is that of the beginning, for people.
    package func refusal(begun time: String) -> String {
        switch state {
        case .arriving where id == 0: Self.missing
        case .arriving:
            "the jobs of \(source) are on their way into it since \(time), and not all are there. To go on: \(command)"
        case .leaving:
            "its jobs are on their way to \(target) since \(time). To go on: \(command)   "
                + "To forget the move and work on this database again: \(takingBack)"
        case .left:
            "its jobs were moved to \(target), in a move begun at \(time): set RENGA_DATABASE=\(target). "
                + "Only if nobody works there (the same jobs would be paid twice), to work on this database again: \(takingBack)"
        }
    }

    /// What to say of a database whose version is below zero, and which has no mark.
    package static let missing =
        "the database is a copy that is not whole yet: finish the copy, or begin with another"
}
