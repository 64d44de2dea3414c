import Dispatch
import HTTPServer
import Synchronization
import Testing

/// A handler made of closures.
struct TestHandler: PlainHandler {
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

/// Values that tasks leave and a test awaits, with a bound.
final class Signal<Value: Sendable>: Sendable {
    private struct State {
        var values: [Value] = []
        var waiting: [Int: CheckedContinuation<Value?, Never>] = [:]
        var tickets = 0
    }

    private let state = Mutex(State())

    func send(_ value: Value) {
        let waiting = state.withLock { state -> CheckedContinuation<Value?, Never>? in
            if let first = state.waiting.keys.min() { return state.waiting.removeValue(forKey: first) }
            state.values.append(value)
            return nil
        }
        waiting?.resume(returning: value)
    }

    /// Nil when nothing has come in time.
    func next(within limit: Duration = .seconds(10)) async -> Value? {
        let ticket = state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
        let timer = Task {
            try await Task.sleep(for: limit)
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(returning: nil)
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { continuation in
            let value = state.withLock { state -> Value? in
                if state.values.isEmpty { state.waiting[ticket] = continuation }
                return state.values.isEmpty ? nil : state.values.removeFirst()
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}

/// Lets a client's thread wait for a test.
final class ThreadSignal: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func signal() { semaphore.signal() }
    func wait() { _ = semaphore.wait(timeout: .now() + .seconds(RawClient.patience)) }
}
