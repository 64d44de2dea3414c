import Migrations
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import JobStoreCopy

@Suite(.onThread) struct ResumingTests {
    private struct Cut: Error {}

    @Test func `A copy that ended early is taken up again`() async throws {
        var sample = SampleRows(seed: 11)
        let rows = sample.all()
        let (folder, other) = (try Folder(), try Folder())
        try await folder.fill(rows, later(0))
        let sums = try folder.read(later(1)) { try $0.sums() }
        try await withServer { server in
            try await repeated { left in
                try await server.session.run { connection in
                    let writer = ServerWriter(connection)
                    let scale = try writer.begin(MoveMark(later(left)))
                    try folder.read(scale) { source in
                        let target = CutTarget(writer, after: left, Cut())
                        try Copy(source: source, target: target, portion: Portion(rows: 37)).run()
                        try target.finish()
                    }
                }
            }
            #expect(try await server.sums() == sums)
            try await repeated { left in
                let writer = try FileWriter(path: other.file)
                let result = await Result {
                    try await server.session.run { connection in
                        try connection.transaction(.snapshot) { transaction in
                            var writer = writer
                            _ = try writer.begin(MoveMark(later(left)))
                            let target = CutTarget(writer, after: left, Cut())
                            try Copy(
                                source: ServerReader(transaction), target: target, portion: Portion(rows: 41)
                            ).run()
                            try target.finish()
                        }
                    }
                }
                await writer.close()
                try result.get()
            }
            #expect(try other.read(later(1)) { try $0.sums() } == sums)
        }
    }

    /// Clocks are never read at quite the same time.
    private func later(_ milliseconds: Int) -> MomentScale {
        MomentScale(database: 1_790_000_000_000 + Int64(milliseconds), boot: 9, moment: 50_000)
    }

    /// Ends after few portions, then after more, until it ends by itself.
    private func repeated(_ copy: (Int) async throws -> Void) async throws {
        for portions in 1... {
            do { return try await copy(portions) } catch is Cut {}
        }
    }

    @Test func `Where a copy has begun no store works, nor where anything is may one begin`() async throws {
        var sample = SampleRows(seed: 12)
        let (folder, other) = (try Folder(), try Folder())
        try await folder.fill(sample.all())
        try await withServer { server in
            _ = try await server.session.run { connection in
                try ServerWriter(connection).begin(MoveMark(.same))
            }
            #expect(try await server.number("SELECT version FROM renga") == -1)
            let partial = try await refusal {
                try await DatabaseCopy.copy(from: server.session, toFile: other.file)
            }
            #expect(partial?.contains("not whole") == true)
            try await DatabaseCopy.copy(fromFile: folder.file, to: server.session, .same)
            #expect(try await server.number("SELECT version FROM renga") == 1)
            let again = try await refusal {
                try await DatabaseCopy.copy(fromFile: folder.file, to: server.session, .same)
            }
            #expect(again?.contains("in use already") == true)
            let over = try await refusal {
                try await DatabaseCopy.copy(from: server.session, toFile: folder.file)
            }
            #expect(over?.contains("a database already") == true)
        }
    }

    @Test func `What changes behind the copy is found`() async throws {
        var sample = SampleRows(seed: 13)
        let folder = try Folder()
        try await folder.fill(sample.all())
        try await withServer { server in
            let words = try await refusal {
                try await server.session.run { connection in
                    try folder.read { source in
                        let target = ServerWriter(connection)
                        _ = try target.begin(MoveMark(.same))
                        try Copy(source: source, target: target).run()
                        try connection.execute(script: "UPDATE answer SET cost = cost - 1 WHERE id = 5")
                        try Copy.compare(source.sums(), target.sums { _, _ in })
                    }
                }
            }
            #expect(words?.contains("the rows of answer are not the same") == true)
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

/// Writes so many portions, then throws.
private final class CutTarget: RowTarget {
    private let target: any RowTarget
    private var left: Int
    private let error: any Error

    init(_ target: any RowTarget, after portions: Int, _ error: any Error) {
        (self.target, left, self.error) = (target, portions, error)
    }

    func begin(_ mark: MoveMark) throws -> MomentScale { mark.scale }
    func lastKey(of table: CopiedTable) throws -> CopiedRow? { try target.lastKey(of: table) }
    func count() throws -> Int { try target.count() }
    func sums(_ onPortion: (CopiedTable, Int) -> Void) throws -> [TableSum] { try target.sums(onPortion) }
    func prepareNumbers(after place: Int64) throws { try target.prepareNumbers(after: place) }
    func finish() throws { try target.finish() }

    func write(_ rows: [CopiedRow], of table: CopiedTable) throws {
        guard left > 0 else { throw error }
        left -= 1
        try target.write(rows, of: table)
    }
}
