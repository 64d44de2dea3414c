import HTTPClient
import JSON

/// Whoever calls a server over loopback.
struct Client: Sendable {
    struct Answer {
        let status: Int
        let headers: HTTPHeaders
        let body: [UInt8]

        var json: JSON? { try? JSON.parse(body) }
        var text: String { String(decoding: body, as: UTF8.self) }
        var lines: [JSON] {
            body.split(separator: UInt8(ascii: "\n")).compactMap { try? JSON.parse(Array($0)) }
        }
    }

    /// One for all: a thread and its connections.
    private static let http = HTTPClient(maxConnections: 400)

    let url: String
    var key: String?

    func call(
        _ method: String, _ path: String, _ body: [UInt8] = [], headers: [(String, String)] = [],
        within seconds: Double = 60
    ) async throws -> Answer {
        var headers = headers
        if let key { headers.append(("x-api-key", key)) }
        if !body.isEmpty, !headers.contains(where: { $0.0 == "content-type" }) {
            headers.append(("content-type", "application/json"))
        }
        let answer = try await Self.http.send(
            HTTPRequest(
                method: method, url: url + path, headers: headers, body: body,
                timeouts: HTTPRequest.Timeouts(call: seconds * Double(Form.patience)),
                maxResponseBytes: 256 << 20))
        return Answer(status: answer.status, headers: answer.headers, body: answer.body)
    }

    func get(_ path: String) async throws -> JSON {
        let answer = try await call("GET", path)
        guard answer.status == 200, let json = answer.json else {
            throw Disappointment("GET \(path): \(answer.status) \(answer.text.prefix(500))")
        }
        return json
    }

    func post(_ path: String, _ json: String) async throws -> Answer {
        try await call("POST", path, Array(json.utf8))
    }
}
