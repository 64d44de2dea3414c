import System

extension Command {
    static let move = Command(
        name: "move", summary: "move all jobs from SQLite to PostgreSQL, or back",
        flags: [
            Flag("from", "DATABASE", "where the jobs are: a path, sqlite:PATH or postgres://USER@HOST/NAME"),
            Flag("to", "DATABASE", "where they go: one of the other kind, without data of its own"),
            Flag("verify", "compare both after a move, and change nothing"),
            Flag("take-back", "forget the move of the database in --from, and work on it again"),
        ],
        settings: [Settings.fileMode],
        details: """
            Stop all servers and workers first. Everything moves and keeps its id: jobs of every state, attempts, cached
            answers, batches, budgets, spending. Both databases are refused to servers and workers meanwhile. At the end
            the rows of each table are counted and summed up on both sides; only then the new database can be used. The
            old one is kept, and no server or worker opens it any more.

            If the command is stopped or killed, run it again: it goes on where it was. The password of a PostgreSQL
            database comes from RENGA_DATABASE_PASSWORD, RENGA_DATABASE_PASSWORD_FILE or PGPASSFILE.
            """,
        examples: [
            "renga move --from ./renga.db --to postgres://renga@db.example/renga",
            "renga move --from postgres://renga@db.example/renga --to ./new.db",
            "renga move --take-back --from ./renga.db",
        ]
    ) { invocation in
        let source = try invocation.database(inFlag: "from")
        if invocation.has("take-back") { return try await Moving.takeBack(source, invocation) }
        let pair = try MovingPair(from: source, to: invocation.database(inFlag: "to"))
        return invocation.has("verify")
            ? try await Moving.verify(pair) : try await Moving.run(pair, again: invocation.shellLine)
    }
}

/// What `renga move` says.
private enum Moving {
    /// `command` is the one that is run, as it goes on too.
    static func run(_ pair: MovingPair, again command: String) async throws -> ExitStatus {
        announceWayOn(command)
        let progress = MovingProgress()
        let outcome = try await progress.following { try await pair.run(progress) }
        switch outcome {
        case .movedBefore(let time):
            try Console.print(
                "nothing is left to do: the jobs of \(pair.source) were moved to \(pair.target), in a move begun at \(time)"
            )
        case .moved(let tables):
            let filled = tables.filter { $0.rows > 0 }
            let rows = filled.map { [$0.name, Text.number($0.rows), $0.checksum] }
            try Console.print(Columns.text([["table", "rows", "checksum"]] + rows, rightAligned: [1]))
            try Console.print(
                """

                \(Text.count(tables.reduce(0) { $0 + $1.rows }, "row")) in \(Text.count(filled.count, "table")), the other \
                \(tables.count - filled.count) are empty: counts and checksums are the same in both
                The jobs are now in \(pair.target). Go on there:
                  RENGA_DATABASE=\(pair.target) renga up
                \(pair.source) is kept, and servers and workers refuse it: they would pay for the same jobs again.
                """)
        }
        return .done
    }

    static func verify(_ pair: MovingPair) async throws -> ExitStatus {
        let tables = try await pair.compare()
        let different = tables.filter { $0.rows != $1.rows || $0.checksum != $1.checksum }
        guard !different.isEmpty else {
            try Console.print(
                "\(Text.count(tables.reduce(0) { $0 + $1.source.rows }, "row")), the same in \(pair.source) and \(pair.target)"
            )
            return .done
        }
        let rows = different.map { source, target in
            [
                source.name, Text.number(source.rows), source.checksum, Text.number(target.rows),
                target.checksum,
            ]
        }
        try Console.print(
            Columns.text([["table", "source", "", "target", ""]] + rows, rightAligned: [1, 3]))
        throw Failure(
            "\(Text.count(different.count, "table")) differ: work went on in \(pair.target), or one of the two was changed"
        )
    }

    static func takeBack(_ database: any Database, _ invocation: Invocation) async throws -> ExitStatus {
        guard invocation["to"] == nil, !invocation.has("verify") else {
            throw UsageError("--take-back goes with --from alone")
        }
        let target = try await database.takeBack()
        try Console.print(
            """
            \(database.stated) can be worked on again. Its jobs are, or partly are, in \(target) too: remove that database, or never \
            work on it, as the same jobs would be paid for twice.
            """)
        return .done
    }

    /// Ctrl-C ends the command; both databases stay as a kill would leave them.
    private static func announceWayOn(_ command: String) {
        let signals = Signals.stream(Signals.interrupts)
        Task.detached {
            guard await signals.first(where: { _ in true }) != nil else { return }
            Console.note("\nStopped. To go on:\n  \(command)")
            exitProcess(130)
        }
    }
}
