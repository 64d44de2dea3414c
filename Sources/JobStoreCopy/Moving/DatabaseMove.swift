import CrashPoint
import Migrations
package import Postgres
import SQLite

/// A move of all rows between a SQLite file and a PostgreSQL database, after which jobs go on in the other one.
///
/// Both databases are marked before the first row is copied, so that no store opens either of them, however the move ends: the source until it is
/// taken back, the target until it is whole (`MoveMark`). Rows are in the target once, whatever broke off: the same move goes on behind the last. All throw a
/// `CopyError`, or what one of the databases refuses.
package struct DatabaseMove: Sendable {
    package enum Direction: Sendable { case toServer, toFile }

    /// What a move knows of the world.
    package struct Terms: Sendable {
        /// Of a move that begins now: a number that no other has, and the time in milliseconds UTC.
        package var id: Int64
        package var time: Int64
        /// This machine's boot, and the milliseconds since, as stores on a file count them.
        package var boot: @Sendable () -> (id: Int64, milliseconds: Int64)
        /// For how many milliseconds a worker that is not heard of may live.
        package var workerPatience: Int64
        /// Has the server's store write down what settlements left to the next claim: the file's schema has no place for it.
        package var applyClosings: @Sendable () async throws -> Void
        package var onProgress: @Sendable (MoveProgress) -> Void

        package init(
            id: Int64, time: Int64, boot: @escaping @Sendable () -> (id: Int64, milliseconds: Int64),
            workerPatience: Int64, applyClosings: @escaping @Sendable () async throws -> Void,
            onProgress: @escaping @Sendable (MoveProgress) -> Void
        ) {
            self.id = id
            self.time = time
            self.boot = boot
            self.workerPatience = workerPatience
            self.applyClosings = applyClosings
            self.onProgress = onProgress
        }
    }

    package enum Outcome: Sendable, Equatable {
        /// What is in both databases now.
        case moved([TableSum])
        /// An earlier run came to the end; when the move began.
        case movedBefore(Int64)
    }

    private let path: String
    private let fileMode: UInt32
    private let session: Session
    private let direction: Direction
    private let fileName: String
    private let serverName: String

    /// Names are as a shell takes them.
    package init(
        file path: String, mode: UInt32, named fileName: String, server: Session, named serverName: String,
        _ direction: Direction
    ) {
        self.path = path
        fileMode = mode
        self.fileName = fileName
        session = server
        self.serverName = serverName
        self.direction = direction
    }

    private var source: String { direction == .toServer ? fileName : serverName }
    private var target: String { direction == .toServer ? serverName : fileName }

    private func server(_ connection: Postgres.Connection) -> MovedServer {
        MovedServer(connection, named: serverName)
    }

    /// Begins the move, or goes on with it, up to its end.
    package func run(_ terms: Terms) async throws -> Outcome {
        switch try await plan() {
        case .done(let mark): return .movedBefore(mark.begunAt)
        case .begin:
            if direction == .toFile {
                try await terms.applyClosings()
                try await awaitNobody()
            }
            return try await carry(nil, terms)
        case .resume(let mark): return try await carry(mark, terms)
        }
    }

    private func plan() async throws -> MovePlan {
        let file = try MovedFile.standing(of: path)
        let other = try await session.run { connection in try server(connection).standing() }
        let plan =
            switch direction {
            case .toServer: try MovePlan(from: file, named: fileName, to: other, named: serverName)
            case .toFile: try MovePlan(from: other, named: serverName, to: file, named: fileName)
            }
        if case .done = plan {} else { try await awaitNobody() }
        return plan
    }

    /// A server takes a moment to see that a process has ended.
    private func awaitNobody() async throws {
        for _ in 1...30 {
            do {
                return try await session.run { connection in try server(connection).demandNobody() }
            } catch is CopyError {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        try await session.run { connection in try server(connection).demandNobody() }
    }

    private func carry(_ mark: MoveMark?, _ terms: Terms) async throws -> Outcome {
        let file = try MovedFile(path: path, mode: fileMode)
        do {
            let sums = try await session.run { connection in
                let server = server(connection)
                try server.claim()
                return switch direction {
                case .toServer: try toServer(server, file, mark, terms)
                case .toFile: try toFile(server, file, mark, terms)
                }
            }
            await file.close()
            return .moved(sums)
        } catch {
            await file.close()
            throw error
        }
    }

    private func newMark(at now: Int64, _ terms: Terms) -> MoveMark {
        let boot = terms.boot()
        let scale = MomentScale(database: now, boot: boot.id, moment: boot.milliseconds)
        return MoveMark(
            .leaving, id: terms.id, source: source, target: target, begunAt: terms.time, boot: scale.boot,
            difference: scale.difference)
    }

    private func toServer(_ server: MovedServer, _ file: MovedFile, _ found: MoveMark?, _ terms: Terms)
        throws -> [TableSum]
    {
        try server.demandNobody()
        let mark = try found ?? newMark(at: server.clock(), terms)
        if found == nil {
            try file.writer.mark(mark)
            try file.noteLog()
        }
        crashPoint("move-marked")
        let target = ServerWriter(server.connection)
        let scale = try target.begin(mark.stating(.arriving))
        let reader = try SQLite.Connection(path: path, mode: .read)
        return try reader.snapshot {
            let sums = try copy(FileReader(reader, scale), into: target, mark, terms)
            try conclude(target) { try file.writer.mark(mark.stating(.left)) }
            return sums
        }
    }

    private func toFile(_ server: MovedServer, _ file: MovedFile, _ found: MoveMark?, _ terms: Terms)
        throws -> [TableSum]
    {
        let source = ServerWriter(server.connection)
        let mark = try found ?? newMark(at: server.now(), terms)
        if found == nil {
            try source.mark(mark) { transaction in
                try server.demandNobody(transaction, patience: terms.workerPatience)
                try server.demandNoClosings(transaction)
            }
        }
        crashPoint("move-marked")
        var target = file.writer
        _ = try target.begin(mark.stating(.arriving))
        try file.noteLog()
        let sums = try server.connection.transaction(.snapshot, limits: .long) { transaction in
            try copy(ServerReader(transaction), into: target, mark, terms)
        }
        try conclude(target) { try source.mark(mark.stating(.left)) }
        return sums
    }

    /// Copies what is missing, then reads all again; throws the first table that is not the same in both.
    private func copy(
        _ source: some RowSource, into target: some RowTarget, _ mark: MoveMark, _ terms: Terms
    ) throws -> [TableSum] {
        do {
            return try copy(source, into: target, terms)
        } catch let error as CopyError {
            throw CopyError(
                "\(error). To work on \(mark.source) again: \(mark.takingBack)   Another move needs an empty target"
            )
        }
    }

    private func copy(_ source: some RowSource, into target: some RowTarget, _ terms: Terms) throws
        -> [TableSum]
    {
        try source.checkParts()
        let meter = try MoveMeter(total: source.count(), copied: target.count(), terms.onProgress)
        try Copy(source: source, target: target, onPortion: meter.add).run()
        meter.beginComparing()
        let sums = try source.sums(meter.add)
        try Copy.compare(sums, target.sums(meter.add))
        crashPoint("move-compared")
        return sums
    }

    /// The source is left before the target is worked on: never is work done on both.
    private func conclude(_ target: some RowTarget, _ leave: () throws -> Void) throws {
        try leave()
        crashPoint("move-left")
        try target.finish()
        crashPoint("move-finished")
    }
}

extension MoveMark {
    fileprivate func stating(_ state: State) -> MoveMark {
        var mark = self
        mark.state = state
        return mark
    }
}

// What is left of a move.
extension DatabaseMove {
    /// What the rows of both come to now, the source's first; nothing is changed.
    package func compare() async throws -> [(source: TableSum, target: TableSum)] {
        let (path, direction) = (path, direction)
        let known = try MovedFile.mark(of: path)
        let (there, here) = try await session.run { connection in
            let mark = try direction == .toServer ? known : server(connection).mark()
            guard let mark, mark.state == .left else {
                throw CopyError("\(source) was not moved anywhere: there is nothing to compare")
            }
            let file = try SQLite.Connection(path: path, mode: .read)
            let here = try file.snapshot { try FileReader(file, mark.scale).sums() }
            let there = try connection.transaction(.snapshot, limits: .long) { transaction in
                try ServerReader(transaction).sums()
            }
            return (there, here)
        }
        return (direction == .toServer ? zip(here, there) : zip(there, here)).map { ($0, $1) }
    }

    /// Has a file worked on again from which jobs were moved, or were being moved; returns what the target of that move is called.
    package static func takeBack(file path: String, mode: UInt32, named name: String) async throws -> String {
        let mark = try takenBack(MovedFile.mark(of: path), name)
        let file = try MovedFile(path: path, mode: mode)
        do {
            try file.writer.finish()
            try file.noteLog()
        } catch {
            await file.close()
            throw error
        }
        await file.close()
        return mark.target
    }

    /// The same of a PostgreSQL database.
    package static func takeBack(_ session: Session, named name: String) async throws -> String {
        try await session.run { connection in
            let server = MovedServer(connection, named: name)
            let mark = try takenBack(server.mark(), name)
            try server.claim()
            try ServerWriter(connection).unmark()
            return mark.target
        }
    }

    private static func takenBack(_ mark: MoveMark?, _ name: String) throws(CopyError) -> MoveMark {
        guard let mark else {
            throw CopyError("\(name) was not moved anywhere: there is nothing to take back")
        }
        guard mark.state != .arriving else {
            throw CopyError(
                "\(name) is the target of a move, and not whole. To go on: \(mark.command)   To give it up, remove it, and: "
                    + mark.takingBack)
        }
        return mark
    }
}
