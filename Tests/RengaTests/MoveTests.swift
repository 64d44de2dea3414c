import Foundation
import Testing

@testable import renga

/// What `renga move` says before there is anything to move, and meanwhile.
@Suite(.timeLimit(.minutes(1)))
struct MoveTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func move(_ words: String...) async throws -> Program.Ended {
        try await Program(["move"] + words, [:], in: folder.url).end()
    }

    @Test func `two databases of one engine are refused with what serves instead`() async throws {
        let files = try await move("--from", "a.db", "--to", "sqlite:b.db")
        #expect(files.status == 2 && files.errors.contains("renga backup --database"), "\(files.errors)")
        let (one, two) = ("postgres://renga@localhost:1/a", "postgres://renga@localhost:1/b")
        let servers = try await move("--from", one, "--to", two)
        #expect(
            servers.status == 2 && servers.errors.contains("pg_dump --format custom --dbname \(one)")
                && servers.errors.contains("pg_restore --no-owner --dbname \(two)"), "\(servers.errors)")
    }

    @Test func `what cannot be a database is refused, and a password in a flag`() async throws {
        let missing = try await move("--from", "a.db")
        #expect(missing.status == 2 && missing.errors.contains("--to DATABASE is missing"))
        let other = try await move("--from", "a.db", "--to", "mysql://there/b")
        #expect(other.status == 2 && other.errors.contains("--to is “mysql://there/b”; expected"))
        let secret = try await move("--from", "a.db", "--to", "postgres://renga:hush@localhost:1/b")
        #expect(secret.status == 2 && secret.errors.contains("a password in a flag"))
        #expect(!secret.errors.contains("hush"))
        let both = try await move("--take-back", "--from", "a.db", "--to", "b.db")
        #expect(both.status == 2 && both.errors.contains("--take-back goes with --from alone"))
    }

    @Test func `a file that is not there is neither moved nor made nor taken back`() async throws {
        let back = try await move("--take-back", "--from", "a.db")
        #expect(back.status == 1 && back.errors.contains("there is nothing to take back"), "\(back.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(!names.contains { $0.hasPrefix("a.db") }, "\(names)")
    }

    @Test func `progress has the table, the rows, their pace and what is left`() {
        func text(rows: Int, done: Int, _ milliseconds: Int64) -> String {
            MovingProgress.text(
                "copying", "job", rows: rows, total: 50_000, done: done, milliseconds: milliseconds)
        }
        #expect(text(rows: 1_000, done: 1_000, 100) == "copying job: 1,000 of 50,000 rows")
        #expect(
            text(rows: 20_000, done: 10_000, 2_000)
                == "copying job: 20,000 of 50,000 rows, 5,000 rows/s, 7s left")
        #expect(text(rows: 50_000, done: 40_000, 8_000) == "copying job: 50,000 of 50,000 rows, 5,000 rows/s")
    }
}
