import HTTPServer
import System

/// The same HTTP server with nothing behind it: what a request costs before renga does anything.
enum BareServer {
    static func run() async throws {
        let server = HTTPServer(handler: Nothing())
        try server.start()
        Helper.report("port \(server.port)")
        for await _ in Signals.stream(Signals.endings) { break }
        await server.stop()
    }

    /// Answers as large as renga's own: 202 to a POST, 200 to anything else.
    private struct Nothing: Handler {
        func policy(for head: RequestHead) -> BodyPolicy { .collect(limit: 1 << 20) }

        func respond(to request: Request) async -> Response {
            let isPost = request.head.method == "POST"
            return Response(
                status: isPost ? 202 : 200, contentType: "application/json",
                bytes: isPost ? Self.short : Self.long)
        }

        private static let short = [UInt8](repeating: 0x61, count: 550)
        private static let long = [UInt8](repeating: 0x61, count: 1_150)
    }
}
