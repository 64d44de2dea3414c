import Migrations
import Postgres
import SQLite
import Synchronization
import TestSupport
import Testing

@testable import JobStoreCopy

/// A whole move: marks, refusals, what is left behind.
@Suite(.onThread) struct MoveTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func move(_ server: Server, _ direction: DatabaseMove.Direction) -> DatabaseMove {
        DatabaseMove(
            file: folder.file, mode: 0o600, named: "FILE", server: server.session, named: "SERVER", direction)
    }

    private func terms(id: Int64 = 5, _ onProgress: @escaping @Sendable (MoveProgress) -> Void = { _ in })
        -> DatabaseMove.Terms
    {
        DatabaseMove.Terms(
            id: id, time: 1_790_000_000_000, boot: { (3, 1_000_000) }, workerPatience: 30_000,
            applyClosings: {},
            onProgress: onProgress)
    }

    private func fillFile() async throws {
        var sample = SampleRows(seed: 41)
        try await folder.fill(sample.all())
    }

    private func fill(_ server: Server) async throws {
        var sample = SampleRows(seed: 42)
        try await server.fill(sample.all())
        try await server.execute("UPDATE worker SET stopped = true")
    }

    private func version() throws -> Int { try folder.read { _ in try Self.version(of: folder.file) } }

    private static func version(of path: String) throws -> Int {
        try FileReader.version(of: SQLite.Connection(path: path, mode: .read))
    }

    private func mark(_ state: MoveMark.State, id: Int64, from source: String, to target: String) -> MoveMark
    {
        MoveMark(state, id: id, source: source, target: target, begunAt: 0, boot: 3, difference: 9)
    }

    @Test func `A file moves to a server, is marked, and can be taken back`() async throws {
        try await fillFile()
        try await withServer { server in
            let steps = Mutex<[MoveProgress]>([])
            let outcome = try await move(server, .toServer).run(
                terms { step in steps.withLock { $0.append(step) } })
            guard case .moved(let sums) = outcome else { throw CopyError("it was moved before") }
            #expect(try await server.sums() == sums && sums.count == CopiedTable.all.count)
            let total = sums.reduce(0) { $0 + $1.rows }
            let all = steps.withLock { $0 }
            let last = try #require(all.last)
            #expect(last.work == .comparing && last.rows == 2 * total && last.total == 2 * total)
            let copied = all.last { $0.work == .copying }
            #expect(copied?.rows == total && copied?.total == total)

            #expect(try version() == -1)
            #expect(try MovedFile.mark(of: folder.file)?.state == .left)
            #expect(try await server.number("SELECT version FROM renga") == 1)
            #expect(try await server.number("SELECT count(*) FROM pg_class WHERE relname = 'move_mark'") == 0)
            #expect(try await move(server, .toServer).run(terms(id: 6)) == .movedBefore(1_790_000_000_000))
            #expect(try await move(server, .toServer).compare().allSatisfy { $0.source == $0.target })
            try await server.execute("UPDATE answer SET model = 'other' WHERE id = 5")
            let different = try await move(server, .toServer).compare().filter { $0.source != $0.target }
            #expect(different.map(\.source.table) == ["answer"])

            #expect(
                try await DatabaseMove.takeBack(file: folder.file, mode: 0o600, named: "FILE") == "SERVER")
            #expect(try version() == 1 && MovedFile.mark(of: folder.file) == nil)
            let again = try await refusal {
                _ = try await DatabaseMove.takeBack(file: folder.file, mode: 0o600, named: "FILE")
            }
            #expect(again?.contains("was not moved") == true)
        }
    }

    @Test func `A server's database moves into a file, is marked, and can be taken back`() async throws {
        try await withServer { server in
            try await fill(server)
            let before = try await server.sums()
            #expect(try await move(server, .toFile).run(terms()) == .moved(before))
            #expect(try version() == 1)
            #expect(try await server.number("SELECT version FROM renga") == -1)
            #expect(try await move(server, .toFile).run(terms(id: 6)) == .movedBefore(1_790_000_000_000))
            #expect(try await move(server, .toFile).compare().allSatisfy { $0.source == $0.target })
            #expect(try await DatabaseMove.takeBack(server.session, named: "SERVER") == "FILE")
            #expect(try await server.number("SELECT version FROM renga") == 1)
            #expect(try await server.sums() == before)
        }
    }

    @Test func `A target with data of its own stays as it is, and so does the source`() async throws {
        try await fillFile()
        try await withServer { server in
            try await fill(server)
            let (there, here) = (try await server.sums(), try folder.read { try $0.sums() })
            for direction in [DatabaseMove.Direction.toServer, .toFile] {
                let words = try await refusal { _ = try await move(server, direction).run(terms()) }
                #expect(words?.contains("holds data of its own") == true, "\(words ?? "moved")")
            }
            #expect(try await server.sums() == there && folder.read { try $0.sums() } == here)
            #expect(try version() == 1)
            #expect(try await server.number("SELECT version FROM renga") == 1)
        }
    }

    @Test func `Half of another move is no target, and its own move is named`() async throws {
        try await fillFile()
        try await withServer { server in
            let other = mark(.arriving, id: 4, from: "OTHER", to: "SERVER")
            _ = try await server.session.run { connection in try ServerWriter(connection).begin(other) }
            let words = try await refusal { _ = try await move(server, .toServer).run(terms()) }
            #expect(words?.contains("renga move --from OTHER --to SERVER") == true, "\(words ?? "moved")")
            #expect(try version() == 1)
        }
    }

    @Test func `A move goes on with the marks and the scale of its beginning`() async throws {
        try await fillFile()
        try await withServer { server in
            let leaving = mark(.leaving, id: 4, from: "FILE", to: "SERVER")
            let writer = try FileWriter(path: folder.file)
            try writer.mark(leaving)
            await writer.close()
            var arriving = leaving
            arriving.state = .arriving
            let begun = arriving
            _ = try await server.session.run { connection in try ServerWriter(connection).begin(begun) }
            let outcome = try await move(server, .toServer).run(terms(id: 6))
            let sums = try folder.read(leaving.scale) { try $0.sums() }
            #expect(outcome == .moved(sums))
            #expect(try MovedFile.mark(of: folder.file)?.id == 4)
        }
    }

    @Test func `A row that cannot be copied ends the move, and the source can be taken back`() async throws {
        try await fillFile()
        try folder.execute("UPDATE lane SET variant = 'a' || char(0) || 'b' WHERE id = 3")
        try await withServer { server in
            let words = try await refusal { _ = try await move(server, .toServer).run(terms()) }
            #expect(
                words?.contains("lane with id 3") == true
                    && words?.contains("renga move --from FILE --take-back") == true, "\(words ?? "moved")")
            _ = try await DatabaseMove.takeBack(file: folder.file, mode: 0o600, named: "FILE")
            #expect(try version() == 1)
            try folder.execute("UPDATE lane SET variant = 'ab' WHERE id = 3")
            let half = try await refusal { _ = try await move(server, .toServer).run(terms(id: 6)) }
            #expect(half?.contains("a part of the jobs of FILE") == true, "\(half ?? "moved")")
            #expect(try version() == 1)
        }
    }

    @Test func `A file that others have open is not moved`() async throws {
        try await fillFile()
        try await withServer { server in
            let file = try DatabaseFile(path: folder.file)
            let error = await #expect(throws: SQLiteError.self) {
                _ = try await move(server, .toServer).run(terms())
            }
            #expect(error?.code == SQLiteError.inUse)
            #expect(try version() == 1)
            file.close()
        }
    }

    @Test func `A server's database is not moved while others are connected, or a worker lives`() async throws
    {
        try await withServer { server in
            try await fill(server)
            let other = try Session(server.settings(), random: SeededRandom(seed: 2))
            try await other.run([Call(Statement("test", assembled: "SELECT 1"))])
            let connected = try await refusal { _ = try await move(server, .toFile).run(terms()) }
            #expect(connected?.contains("renga has 1 connections to it") == true, "\(connected ?? "moved")")
            await other.close()
            try await server.execute(
                """
                UPDATE worker
                SET stopped = false, name = 'w', seen_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint
                WHERE id = 1
                """)
            let lives = try await refusal { _ = try await move(server, .toFile).run(terms()) }
            #expect(lives?.contains("the worker w on") == true, "\(lives ?? "moved")")
            #expect(try await server.number("SELECT version FROM renga") == 1)
            #expect(try MovedFile.standing(of: folder.file) == .empty)
        }
    }
}
