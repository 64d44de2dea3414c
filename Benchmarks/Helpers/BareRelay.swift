import HTTPClient
import HTTPServer
import System

/// The same HTTP server before the same HTTP client, and nothing between: each request is sent on, each answer back.
struct BareRelay {
    private let provider: String

    init(_ words: [String]) throws {
        guard words.count == 2 else { throw BenchmarkError("a relay needs a provider") }
        provider = words[1]
    }

    func run() async throws {
        let server = HTTPServer(handler: Relay(provider: provider))
        try server.start()
        Helper.report("port \(server.port)")
        for await _ in Signals.stream(Signals.endings) { break }
        await server.stop()
    }

    private struct Relay: PlainHandler {
        let provider: String
        let client = HTTPClient()

        func policy(for head: RequestHead) -> BodyPolicy { .collect(limit: 1 << 20) }

        func respond(to request: Request) async -> Response {
            do {
                let answer = try await client.send(
                    HTTPRequest(
                        url: provider + request.head.rawPath,
                        headers: [
                            ("x-api-key", "none-needed"), ("anthropic-version", "2023-06-01"),
                            ("content-type", "application/json"),
                        ], body: request.bytes, mayRepeat: false))
                return Response(status: answer.status, contentType: "application/json", bytes: answer.body)
            } catch {
                return Response(status: 502, text: "\(error)")
            }
        }
    }
}
