import Foundation
import HTTPServer
import Testing

@testable import renga

/// What people read when the server's disk is full, of a server that says so.
@Suite(.timeLimit(.minutes(1)))
struct TroubleTests {
    private struct FullDisk: PlainHandler {
        static let words = "The database's disk is full: free some space"

        func policy(for head: RequestHead) -> BodyPolicy { .collect(limit: 1 << 24) }

        func respond(to request: Request) async -> Response {
            switch request.head.path.last {
            case "ready": Response(status: 503, text: #"{"detail":"\#(Self.words)","problem":"store-full"}"#)
            case "bulk":
                Response(
                    status: 200,
                    text: String(
                        repeating:
                            #"{"error":{"status":507,"title":"The database's disk is full","detail":"free some space"}}"#
                            + "\n", count: request.bytes.count { $0 == UInt8(ascii: "\n") }))
            default: Response(status: 200, text: #"{"counts":{"queued":7}}"#)
            }
        }
    }

    private func serving(_ body: (String, Folder) async throws -> Void) async throws {
        let server = HTTPServer(handler: FullDisk())
        try server.start()
        do {
            try await body("http://127.0.0.1:\(server.port)", try Folder())
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    @Test func `status names it in its first line`() async throws {
        try await serving { url, folder in
            let status = try await Program(["status", "--url", url], in: folder.url).end()
            #expect(status.output.hasPrefix("NOT READY: \(FullDisk.words)\n"))
            #expect(status.output.contains("jobs: 7 queued"))
        }
    }

    @Test func `enqueue stops with one message, and calls no line invalid`() async throws {
        try await serving { url, folder in
            try folder.write("in.jsonl", (1...1_082).map { #""Number \#($0).""# })
            let done = try await Program(["enqueue", "in.jsonl", "--url", url], in: folder.url).end()
            #expect(done.status == 75)
            let lines = done.errors.split(separator: "\n").filter { !$0.contains("sent ") }
            #expect(lines.count == 1, "\(done.errors)")
            #expect(done.errors.contains("from line 1 on: The database's disk is full"))
            #expect(!done.errors.contains("invalid") && !done.output.contains("invalid"))
        }
    }
}
