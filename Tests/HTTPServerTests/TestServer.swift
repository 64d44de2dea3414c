import Dispatch
import HTTPServer
import Testing

/// A handler made of closures.
struct TestHandler: Handler {
    var policy: @Sendable (RequestHead) -> BodyPolicy = { _ in .collect(limit: 1024) }
    var answer: @Sendable (Request) async -> Response

    func policy(for head: RequestHead) -> BodyPolicy { policy(head) }
    func respond(to request: Request) async -> Response { await answer(request) }
}

/// Runs a test against a server of its own on a free port.
func withServer<T>(
    policy: @escaping @Sendable (RequestHead) -> BodyPolicy = { _ in .collect(limit: 1024) },
    configure: (inout HTTPServer.Configuration) -> Void = { _ in },
    answer: @escaping @Sendable (Request) async -> Response,
    _ test: (Int) async throws -> T
) async throws -> T {
    var configuration = HTTPServer.Configuration()
    configuration.grace = .seconds(2)
    configure(&configuration)
    let server = HTTPServer(
        configuration: configuration, handler: TestHandler(policy: policy, answer: answer))
    try server.start()
    do {
        let result = try await test(server.port)
        await server.stop()
        return result
    } catch {
        await server.stop()
        throw error
    }
}

/// Answers with what it was asked, so that tests see what arrived.
let echo: @Sendable (Request) async -> Response = { request in
    let query = request.head.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    let path = request.head.path.joined(separator: "|")
    return Response(text: "\(request.head.method) \(path) ?\(query) \(request.bytes.count)")
}

/// A value that one task leaves and another awaits, with a bound.
final class Signal<Value: Sendable>: Sendable {
    private let stream: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func send(_ value: Value) {
        continuation.yield(value)
    }

    /// Nil when nothing has come in time.
    func next(within limit: Duration = .seconds(10)) async -> Value? {
        await withTaskGroup { group in
            group.addTask { [stream] in
                for await value in stream { return Value?.some(value) }
                return nil
            }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}

/// Lets a client's thread wait for a test.
final class DispatchSignal: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func signal() { semaphore.signal() }
    func wait() { _ = semaphore.wait(timeout: .now() + .seconds(RawClient.patience)) }
}
