import HTTPServer
import JSON
import Simulator
import Synchronization
import Telemetry

/// Time that stands still until it is moved; sleeping moves it at once and is remembered.
final class FakeTime: Sendable {
    private let state = Mutex((now: Int64(1_790_000_000_000), waits: [Int64]()))

    var clock: SimulatorClock {
        SimulatorClock(timestamp: { self.now }, uptime: { self.now }) { self.sleep($0) }
    }

    var now: Int64 { state.withLock { $0.now } }
    var waits: [Int64] { state.withLock { $0.waits } }

    func advance(_ milliseconds: Int64) {
        state.withLock { $0.now += milliseconds }
    }

    private func sleep(_ milliseconds: Int64) {
        state.withLock {
            $0.now += milliseconds
            $0.waits.append(milliseconds)
        }
    }
}

/// An answer as a client would see it.
struct Seen {
    let status: Int
    let headers: Headers
    let bytes: [UInt8]
    let isBroken: Bool

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var json: JSON? { try? JSON.parse(bytes) }
    var content: String? { json?["content"]?[0]?["text"]?.string }
    var errorType: String? { json?["error"]?["type"]?.string }
    var errorMessage: String { json?["error"]?["message"]?.string ?? "" }
    func tokens(_ name: String) -> Int? { json?["usage"]?[name]?.int }
}

func makeSimulator(_ options: [String: String] = [:], _ time: FakeTime = FakeTime()) throws -> Simulator {
    Simulator(settings: try SimulatorSettings(options: options), clock: time.clock, log: .silent)
}

let haiku = "claude-haiku-4-5-20251001"

/// A request for a message; `extra` are further members, with their leading comma.
func messageBody(
    _ prompt: String, system: String? = nil, maxTokens: Int = 256, model: String = haiku, extra: String = ""
) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
        json.field("model", model)
        json.field("max_tokens", maxTokens)
        if let system { json.field("system", system) }
        json.key("messages")
        json.array { messages in
            messages.object { message in
                message.field("role", "user")
                message.field("content", prompt)
            }
        }
    }
    return json.bytes.dropLast() + Array(extra.utf8) + Array("}".utf8)
}

extension Simulator {
    func ask(
        _ prompt: String, system: String? = nil, maxTokens: Int = 256, model: String = haiku,
        extra: String = "",
        version: String = "2023-06-01"
    ) async -> Seen {
        await send(
            messageBody(prompt, system: system, maxTokens: maxTokens, model: model, extra: extra),
            headers: ["x-api-key": "test", "anthropic-version": version])
    }

    func send(
        _ body: [UInt8] = [], method: String = "POST", path: String = "v1/messages",
        headers: Headers = ["x-api-key": "test", "anthropic-version": "2023-06-01"],
        query: [(name: String, value: String)] = []
    ) async -> Seen {
        let head = RequestHead(
            method: method, path: path.split(separator: "/").map(String.init), rawPath: "/" + path,
            query: query,
            headers: headers, id: "req_test")
        return await seen(respond(to: Request(head: head, body: .bytes(body))))
    }

    private func seen(_ response: Response) async -> Seen {
        var bytes: [UInt8] = []
        var isBroken = response.breakage != nil
        switch response.body {
        case .bytes(let body): bytes = body
        case .stream(let produce):
            do { bytes = try await ResponseWriter.collect(produce) } catch { isBroken = true }
        }
        return Seen(status: response.status, headers: response.headers, bytes: bytes, isBroken: isBroken)
    }
}
