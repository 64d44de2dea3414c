import Migrations
import Postgres
import SQLite
import TestSupport
import Testing

@testable import JobStoreCopy

/// The tables as data name all that is in the schemas: a column that comes with a migration must be copied too.
@Suite(.onThread) struct SchemaTests {
    /// What SQLite has for itself: see `CopiedTable.all`.
    private let fileOnly: Set = [
        "answer_recent.number", "answer_recent.prompt", "answer_recent.answer_id", "answer_merge.id",
        "answer_merge.last_number", "answer_merge.merged", "finish_watermark.id", "finish_watermark.place",
        "worker.disagreement",
    ]
    private let serverOnly: Set = ["renga", "commit_mark", "shared_closing"]

    @Test func `Every column of a file is written`() async throws {
        let folder = try Folder()
        try await folder.fill([])
        let connection = try SQLite.Connection(path: folder.file, mode: .read)
        let columns = try connection.query(
            """
            SELECT part.name || '.' || info.name
            FROM sqlite_schema AS part JOIN pragma_table_info(part.name) AS info
            WHERE part.type = 'table' AND part.name NOT LIKE 'sqlite_%' AND part.name <> 'calendar'
            """
        ) { row in row.text(0) }
        let written = CopiedTable.all.flatMap { table in
            table.file.inserts.flatMap { insert in
                FileInsert(insert, of: table).names.map { "\(insert.table).\($0)" }
            }
        }
        #expect(Set(columns) == Set(written).union(fileOnly))
    }

    @Test func `Every column of a PostgreSQL database is written, and every number raised`() async throws {
        try await withServer { server in
            let (columns, numbered) = try await server.session.run { connection in
                let writer = ServerWriter(connection)
                _ = try writer.begin(MoveMark(.same))
                try writer.finish()
                func texts(_ query: String) throws -> [String] {
                    try connection.run([Call(Statement("test", assembled: query))])[0].map { try $0.text(0) }
                }
                return (
                    try texts(
                        """
                        SELECT table_name || '.' || column_name FROM information_schema.columns
                        JOIN information_schema.tables USING (table_schema, table_name)
                        WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
                        """),
                    try texts(
                        "SELECT table_name::text FROM information_schema.columns WHERE is_identity = 'YES'")
                )
            }
            let written = CopiedTable.all.flatMap { table in
                table.server.inserts.flatMap { insert in
                    insert.columns.map { "\(insert.table).\(insert.names[$0] ?? $0)" }
                }
            }
            // Whose part of a sum it is, no copy asks.
            let own = columns.filter { column in
                column.hasSuffix(".writer") || serverOnly.contains { column.hasPrefix($0 + ".") }
            }
            #expect(Set(columns).subtracting(own) == Set(written))
            #expect(Set(numbered).subtracting(serverOnly) == Set(CopiedTable.numbered))
        }
    }

    @Test func `New rows are numbered behind those that were copied`() async throws {
        var sample = SampleRows(seed: 31)
        let (folder, back) = (try Folder(), try Folder())
        try await folder.fill(sample.all())
        // As time gives them.
        let place: Int64 = 1_790_000_000_000 << 20
        try folder.execute("INSERT INTO finish_watermark (id, place) VALUES (1, \(place))")
        try await withServer { server in
            try await DatabaseCopy.copy(fromFile: folder.file, to: server.session, .same)
            #expect(try await server.number("SELECT nextval(pg_get_serial_sequence('answer', 'id'))") == 21)
            #expect(try await server.number("SELECT nextval('job_low')") == 201)
            let next = "(pg_current_xact_id()::text::bigint + (SELECT order_base FROM renga)) << 20"
            let first = try await server.number("SELECT \(next)")
            #expect(first > place && first < place + 1_000_000 << 20)
            try await DatabaseCopy.copy(from: server.session, toFile: back.file)
            let last = try back.read { try $0.lastPlace() }
            #expect(last >= first)
        }
    }
}
