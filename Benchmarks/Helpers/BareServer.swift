import HTTPServer
import SQLite
import System

/// The same HTTP server before the same database with nothing of renga between: a POST is a row, on disk before its
/// answer, and a GET reads one by its number.
///
/// Writes that come together share a commit, as renga's own do.
struct BareServer {
    private let path: String

    init(_ words: [String]) throws {
        guard words.count == 2 else { throw BenchmarkError("a bare server needs a path") }
        path = words[1]
    }

    func run() async throws {
        let rows = try await Rows(path: path)
        let server = HTTPServer(handler: Storing(rows: rows))
        try server.start()
        Helper.report("port \(server.port)")
        for await _ in Signals.stream(Signals.endings) { break }
        await server.stop()
        await rows.close()
    }

    private struct Rows: Sendable {
        private let writer: Writer
        private let readers: Readers

        init(path: String) async throws {
            writer = try Writer(path: path)
            try await writer.write { connection in
                try connection.execute(
                    "CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
            }
            readers = try Readers(path: path, count: 2)
        }

        func add(_ body: [UInt8]) async throws {
            try await writer.write { connection in
                _ = try connection.run("INSERT INTO row (body) VALUES (?1)", [.blob(body)])
            }
        }

        func find(_ id: Int64) async throws -> [UInt8] {
            try await readers.read { connection in
                try connection.queryOne(
                    "SELECT body FROM row WHERE id = ?1", [.integer(id)], { row in row.blob(0) }) ?? []
            }
        }

        func close() async {
            await readers.close()
            await writer.close()
        }
    }

    /// Answers as large as renga's own: 202 to a POST, 200 to anything else.
    private struct Storing: PlainHandler {
        let rows: Rows

        func policy(for head: RequestHead) -> BodyPolicy { .collect(limit: 1 << 20) }

        func respond(to request: Request) async -> Response {
            do {
                guard request.head.method == "POST" else {
                    let found = try await rows.find(request.head.path.last.flatMap { Int64($0) } ?? 1)
                    let rest = [UInt8](repeating: 0x61, count: max(0, 1_150 - found.count))
                    return Response(status: 200, contentType: "application/json", bytes: found + rest)
                }
                try await rows.add(request.bytes)
                return Response(status: 202, contentType: "application/json", bytes: Self.short)
            } catch {
                return Response(status: 500, text: "\(error)")
            }
        }

        private static let short = [UInt8](repeating: 0x61, count: 550)
    }
}
