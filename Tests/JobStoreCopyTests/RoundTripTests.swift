import TestSupport
import Testing

@testable import JobStoreCopy

@Suite(.onThread) struct RoundTripTests {
    /// A machine that has run for an hour.
    private let scale = MomentScale(database: 1_790_000_000_000, boot: 77, moment: 3_600_000)

    @Test func `A file made of a PostgreSQL database has its rows`() async throws {
        var sample = SampleRows(seed: 7)
        let rows = sample.all()
        try await withServer { server in
            try await server.fill(rows)
            let folder = try Folder()
            let sums = try await DatabaseCopy.copy(from: server.session, toFile: folder.file)
            #expect(sums.map(\.rows) == rows.map(\.rows.count))
            try folder.read { reader in try expectSame(reader, rows) }
        }
    }

    @Test(arguments: [(3, 300), (4, 10_000)])
    func `Rows come back from PostgreSQL as they went`(seed: UInt64, jobs: Int) async throws {
        var sample = SampleRows(seed: seed, jobs: jobs)
        let rows = sample.all()
        let (folder, other) = (try Folder(), try Folder())
        try await folder.fill(rows, scale)
        try await withServer { server in
            let there = try await DatabaseCopy.copy(fromFile: folder.file, to: server.session, scale)
            #expect(there.map(\.rows) == rows.map(\.rows.count))
            let later = MomentScale(database: 1_790_000_500_000, boot: 78, moment: 1_000)
            let back = try await DatabaseCopy.copy(from: server.session, toFile: other.file, later)
            #expect(back == there)
            try other.read(later) { reader in try expectSame(reader, rows) }
        }
    }

    @Test func `An empty database is copied too`() async throws {
        let folder = try Folder()
        try await folder.fill([])
        try await withServer { server in
            let sums = try await DatabaseCopy.copy(fromFile: folder.file, to: server.session, scale)
            #expect(sums.filter { $0.rows > 0 }.map(\.table) == ["tenant", "prune_floor"])
        }
    }

    private func expectSame(_ source: some RowSource, _ all: [(table: CopiedTable, rows: [CopiedRow])]) throws
    {
        for (table, rows) in all {
            var found: [CopiedRow] = []
            try source.forEachPortion(of: table, Portion()) { found += $0 }
            #expect(found.count == rows.count, "\(table.name)")
            let sorted = rows.sorted { table.check(b: $1, follows: $0) }
            for (row, found) in zip(sorted, found) where row != found {
                for (column, (a, b)) in zip(table.columns, zip(row, found)) where a != b {
                    Issue.record("\(table.name).\(column.name): \(a) became \(b)")
                }
            }
        }
    }
}

extension CopiedTable {
    fileprivate func check(b: CopiedRow, follows a: CopiedRow) -> Bool {
        for (x, y) in zip(a, b).prefix(keyCount) where x != y { return CopiedValue.precedes(x, y) }
        return false
    }
}
