import HTTPClient
import JSON
import Models

/// The commands' side of the HTTP API.
struct ServerClient: Sendable {
    let base: String
    private let key: Secret?
    private let http: HTTPClient

    /// What the commands that talk to a server read.
    static let settings: [any SettingDeclaration] = [Settings.url, Settings.authorityFile]
    static let secrets: [SecretSetting] = [.apiKey]

    init(_ invocation: Invocation) throws {
        base = try invocation.value(of: Settings.url)
        http = HTTPClient(authorities: try invocation.authorities())
        key = try invocation.secret(.apiKey, mayBeMissing: true)
    }

    /// The answer of a call that succeeded, as JSON; throws `Failure` for everything else.
    func call(
        _ method: String, _ path: String, query: [(String, String?)] = [], body: [UInt8]? = nil
    ) async throws -> JSON {
        let bytes = try await send(method, path, query: query, body: body)
        do {
            return try JSON.parse(bytes, maxDepth: JSON.deepest)
        } catch {
            throw Failure("the answer from \(base) is not renga's (\(error)): check RENGA_URL")
        }
    }

    /// The bytes of an answer that succeeded.
    func send(
        _ method: String, _ path: String, query: [(String, String?)] = [], body: [UInt8]? = nil,
        contentType: String = "application/json"
    ) async throws -> [UInt8] {
        let request = request(method, path, query, body, contentType)
        do {
            let response = try await http.send(request)
            guard (200..<300).contains(response.status) else { throw refusal(response.status, response.body) }
            return response.body
        } catch let error as HTTPClientError {
            throw unreachable(error)
        }
    }

    /// Hands over the body of an answer as it comes; one that is cut short throws.
    func stream(
        _ path: String, query: [(String, String?)], _ body: ([UInt8]) async throws -> Void
    ) async throws {
        do {
            var request = request("GET", path, query, nil, "")
            // It goes on as it comes, and nothing of it is kept.
            request.maxResponseBytes = .max
            request.timeouts.head = request.timeouts.call
            request.timeouts.call = .infinity
            let answer = try await http.stream(request)
            guard (200..<300).contains(answer.status) else {
                var bytes: [UInt8] = []
                for try await piece in answer.body where bytes.count < 1 << 20 { bytes += piece }
                throw refusal(answer.status, bytes)
            }
            for try await piece in answer.body { try await body(piece) }
        } catch let error as HTTPClientError {
            throw unreachable(error)
        }
    }

    /// Why the server is not ready, in its words; nil if it is, or cannot be asked.
    func trouble() async -> String? {
        var request = request("GET", "/ready", [], nil, "")
        request.timeouts = .init(connect: 2, write: 2, idle: 5, call: 5)
        guard let answer = try? await http.send(request), answer.status == 503 else { return nil }
        return (try? JSON.parse(answer.body))?["detail"]?.string
    }

    private func request(
        _ method: String, _ path: String, _ query: [(String, String?)], _ body: [UInt8]?,
        _ contentType: String
    ) -> HTTPRequest {
        var headers: [(String, String)] = [("user-agent", "renga/\(Version.current)")]
        if let key { headers.append(("x-api-key", key.reveal())) }
        if body != nil { headers.append(("content-type", contentType)) }
        return HTTPRequest(
            method: method, url: base + path + Query.text(query), headers: headers, body: body ?? [],
            timeouts: .init(connect: 5, write: 60, idle: 120, call: 900), maxResponseBytes: 256 << 20)
    }
}

extension ServerClient {
    private func unreachable(_ error: HTTPClientError) -> Failure {
        switch error.code {
        case .tooLarge, .protocolError, .tls:
            return Failure("the call to RENGA_URL, \(base), failed: \(error)")
        default:
            return Failure(
                "no answer from \(base) (\(error)). Start a server with `renga up`, or set RENGA_URL",
                status: .tryAgain)
        }
    }

    /// What the server said, in its own words.
    private func refusal(_ status: Int, _ body: [UInt8]) -> Failure {
        let problem = try? JSON.parse(body)
        let detail = problem?["detail"]?.string
        switch status {
        case 401:
            let advice =
                key == nil ? "set RENGA_API_KEY or RENGA_API_KEY_FILE" : "RENGA_API_KEY is wrong"
            return Failure("\(base) requires a key: \(advice)")
        case 502, 503, 504:
            return Failure("\(base) is not available now: \(detail ?? "status \(status)")", status: .tryAgain)
        default:
            return Failure(
                detail ?? "\(base) answered \(status), and the answer is not renga's: check RENGA_URL")
        }
    }
}

/// Parts of addresses.
enum Query {
    /// `?a=1&b=2`, without those that are nil; empty if none is left.
    static func text(_ parameters: [(String, String?)]) -> String {
        let parts = parameters.compactMap { name, value in value.map { "\(name)=\(encoded($0))" } }
        return parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    }

    /// Percent-encoded but for what RFC 3986 calls unreserved.
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(UnicodeScalar(byte))
            default:
                encoded += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return encoded
    }
}
