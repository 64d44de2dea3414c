import JobStoreCopy
import Jobs
import Postgres
import SQLite
import StoreRules
import System

/// Two databases of different engines, between which all jobs can move.
struct MovingPair: Sendable {
    /// What a table came to; the checksum is its beginning.
    struct Table: Sendable {
        let name: String
        let rows: Int
        let checksum: String
    }

    enum Outcome: Sendable {
        case moved([Table])
        /// When the move began that came to its end before.
        case movedBefore(String)
    }

    private let file: SQLiteDatabase
    private let server: PostgresDatabase
    private let direction: DatabaseMove.Direction

    /// Throws `UsageError`, with what serves instead, for two of one engine.
    init(from source: any Database, to target: any Database) throws {
        switch (source, target) {
        case (let file as SQLiteDatabase, let server as PostgresDatabase):
            (self.file, self.server, direction) = (file, server, .toServer)
        case (let server as PostgresDatabase, let file as SQLiteDatabase):
            (self.file, self.server, direction) = (file, server, .toFile)
        case (let source as PostgresDatabase, let target as PostgresDatabase):
            throw UsageError(
                """
                both are PostgreSQL databases, which its own tools copy. Stop renga, then: \
                pg_dump --format custom --dbname \(source.quoted) | pg_restore --no-owner --dbname \(target.quoted)
                """)
        default:
            throw UsageError(
                """
                both are files. To copy one: renga backup --database \(source.quoted) \(target.quoted)   \
                To move one: stop renga, and rename it
                """)
        }
    }

    var source: String { direction == .toServer ? file.quoted : server.quoted }
    var target: String { direction == .toServer ? server.quoted : file.quoted }

    /// Begins the move or goes on with it; throws `Failure`.
    func run(_ progress: MovingProgress) async throws -> Outcome {
        if direction == .toFile { try file.checkLimits() }
        let clock = SystemNow()
        let terms = DatabaseMove.Terms(
            id: .random(in: 1...Int64.max), time: clock.now().timestamp.milliseconds,
            boot: {
                let moment = clock.now().moment
                return (moment.epoch, moment.milliseconds)
            }, workerPatience: WorkerLiveness.patience,
            applyClosings: { [server] in try await server.applyClosings() },
            onProgress: { step in
                progress.note(step.work.name, step.table, rows: step.rows, total: step.total)
            })
        return try await withMove { move in
            switch try await move.run(terms) {
            case .moved(let sums): .moved(sums.map(Table.init))
            case .movedBefore(let time): .movedBefore(Timestamp(milliseconds: time).text)
            }
        }
    }

    /// What both hold now, table by table; throws `Failure`.
    func compare() async throws -> [(source: Table, target: Table)] {
        try await withMove { move in try await move.compare().map { (Table($0), Table($1)) } }
    }

    private func withMove<T: Sendable>(_ body: (DatabaseMove) async throws -> T) async throws -> T {
        try await server.withSession { session in
            try await body(
                DatabaseMove(
                    file: file.path, mode: file.fileMode, named: file.quoted, server: session,
                    named: server.quoted, direction))
        }
    }
}

extension Invocation {
    /// That of a flag, in which `sqlite:PATH` is a file too; throws `UsageError`.
    func database(inFlag flag: String) throws -> any Database {
        guard let name = self[flag] else { throw UsageError("--\(flag) DATABASE is missing") }
        if ConnectionSettings.isURL(name) {
            return try PostgresDatabase(url: name, from: .flag, label: "--\(flag)", self)
        }
        let path = name.hasPrefix("sqlite:") ? String(name.dropFirst("sqlite:".count)) : name
        guard !path.isEmpty, !path.contains("://") else {
            throw UsageError(
                "--\(flag) is “\(name)”; expected a path, sqlite:PATH or postgres://USER@HOST/NAME")
        }
        return SQLiteDatabase(path: path, fileMode: try value(of: Settings.fileMode))
    }
}

extension Database {
    /// Has it worked on again, though its jobs were moved; returns where they went.
    ///
    /// Throws `Failure`.
    func takeBack() async throws -> String {
        switch self {
        case let server as PostgresDatabase:
            try await server.withSession { session in
                try await DatabaseMove.takeBack(session, named: server.quoted)
            }
        case let file as SQLiteDatabase:
            try await failing {
                try await DatabaseMove.takeBack(file: file.path, mode: file.fileMode, named: file.quoted)
            }
        default: preconditionFailure("an engine of which no move knows")
        }
    }

    /// As a shell takes it, whatever folder it is in.
    fileprivate var quoted: String { Shell.quoted(stated) }
}

extension PostgresDatabase {
    fileprivate func withSession<T: Sendable>(_ body: (Session) async throws -> T) async throws -> T {
        try await failing {
            let session = try Session(settings, random: SystemRandom())
            do {
                let value = try await body(session)
                await session.close()
                return value
            } catch {
                await session.close()
                throw error
            }
        }
    }
}

/// What goes wrong in a move, for who typed the command.
private func failing<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    do {
        return try await body()
    } catch let error as CopyError {
        throw Failure("\(error)")
    } catch let error as PostgresError {
        throw Failure("\(error)")
    } catch let error as SQLiteError {
        throw Failure("\(error)")
    }
}

extension MovingPair.Table {
    fileprivate init(_ sum: TableSum) {
        self.init(name: sum.table, rows: sum.rows, checksum: String(sum.checksum.prefix(16)))
    }
}

extension MoveProgress.Work {
    fileprivate var name: String { self == .copying ? "copying" : "comparing" }
}
