import JSON
package import HTTPClient
package import Jobs

/// The Message Batches API, as renga's own client of it.
///
/// https://platform.claude.com/docs/en/build-with-claude/batch-processing
package struct AnthropicBatches: BatchProvider {
    package let batchServices: [ServiceKey]
    private let known: [ServiceKey: AnthropicService]
    private let client: HTTPClient
    private let clock: any Clock

    /// A batch is uploaded whole before the provider says a word.
    private static let uploading = HTTPRequest.Timeouts(connect: 10, write: 60, idle: 60, call: 300)
    private static let asking = HTTPRequest.Timeouts(connect: 10, write: 30, idle: 60, call: 60)
    /// Its lines are stored as they come, a hundred thousand of them.
    private static let reading = HTTPRequest.Timeouts(connect: 10, write: 30, idle: 60, head: 60, call: 3600)
    /// Batches in one page of the provider's list.
    private static let page = 100
    private static let mostPages = 100
    /// Lines, and bytes of them, that are handed on at once.
    private static let portion = 100
    private static let portionBytes = 8 << 20

    package init(services: [AnthropicService], client: HTTPClient, clock: any Clock) {
        batchServices = services.map(\.key)
        known = Dictionary(services.map { ($0.key, $0) }) { _, last in last }
        self.client = client
        self.clock = clock
    }

    package func create(_ providerBatch: ProviderBatch, _ requests: [BatchedRequest]) async -> BatchCreation {
        guard let service = known[providerBatch.route.service] else {
            return .unsent("this worker has no credential for \(providerBatch.route.name)")
        }
        do {
            let response = try await client.send(
                HTTPRequest(
                    url: service.batchesURL, headers: service.headers(),
                    body: Self.body(providerBatch, requests), timeouts: Self.uploading,
                    maxResponseBytes: ErrorBody.limit, mayRepeat: false))
            switch response.status {
            case 200..<300:
                guard let batch = RemoteBatch(response.body) else {
                    return .unknown("the answer is not a batch")
                }
                return .created(batch)
            case 500...:
                return .unknown("\(response.status)")
            default:
                let retryAfter = RetryAfter(response.headers, now: clock.now().timestamp)
                return .refused(
                    Refusal(response.body, status: response.status, retryAfter: retryAfter)
                        .redacting(service.apiKey))
            }
        } catch let error as HTTPClientError where !error.maySent {
            return .unsent(excerpt(error.message))
        } catch {
            return .unknown("\((error as? HTTPClientError).map { excerpt($0.message) } ?? "\(error)")")
        }
    }

    /// The requests byte for byte, but for `stream`, which is no part of a batch.
    private static func body(_ providerBatch: ProviderBatch, _ requests: [BatchedRequest]) -> [UInt8] {
        var bytes = Array(#"{"requests":["#.utf8)
        bytes.reserveCapacity(requests.reduce(64) { $0 + $1.request.count + 128 })
        for (index, request) in requests.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += Array(#"{"custom_id":"\#(providerBatch.customID(of: request.key))","params":"#.utf8)
            bytes += plain(request.request)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes += Array("]}".utf8)
        return bytes
    }

    private static func plain(_ request: [UInt8]) -> [UInt8] {
        // What the store has was read before.
        guard let body = try? JSON.parse(request, maxDepth: JSON.deepest) else { return request }
        let shorter = body.withoutIdleSampling
        guard body["stream"]?.bool == true else { return shorter.map { Array($0.raw) } ?? request }
        return (shorter ?? body).replacing("stream", with: Array("false".utf8))
    }

    package func batches(of service: ServiceKey, since: Timestamp) async throws -> [RemoteBatch] {
        var found: [RemoteBatch] = []
        var query = "?limit=\(Self.page)"
        for _ in 0..<Self.mostPages {
            let list = try JSON.answer(try await ask("GET", query, of: service))
            let batches = (list["data"]?.elements ?? []).compactMap(RemoteBatch.init)
            found += batches.filter { $0.createdAt >= since }
            guard list["has_more"]?.bool == true, let last = batches.last, last.createdAt >= since else {
                return found
            }
            query = "?limit=\(Self.page)&after_id=\(last.id)"
        }
        return found
    }

    package func batch(_ id: String, of service: ServiceKey) async throws -> RemoteBatch? {
        do {
            let body = try await ask("GET", "/\(id)", of: service)
            guard let batch = RemoteBatch(body) else {
                throw JobError(
                    type: "malformed_answer", message: "the answer is not a batch", retryable: true)
            }
            return batch
        } catch let error as JobError where error.status == 404 {
            return nil
        }
    }

    package func cancel(_ id: String, of service: ServiceKey) async throws {
        _ = try await ask("POST", "/\(id)/cancel", of: service)
    }

    private func ask(_ method: String, _ path: String, of service: ServiceKey) async throws -> [UInt8] {
        let service = try require(service)
        do {
            let response = try await client.send(
                HTTPRequest(
                    method: method, url: service.batchesURL + path, headers: service.headers(),
                    timeouts: Self.asking, maxResponseBytes: 4 << 20))
            guard (200..<300).contains(response.status) else {
                throw JobError(response.body, status: response.status, secret: service.apiKey)
            }
            return response.body
        } catch let error as HTTPClientError {
            throw JobError(error)
        }
    }

    private func require(_ service: ServiceKey) throws -> AnthropicService {
        guard let found = known[service] else {
            throw JobError(
                type: "connection_error", message: "this worker has no credential for \(service.provider)",
                retryable: true)
        }
        return found
    }
}

// MARK: - Results

extension AnthropicBatches {
    package func results(
        of id: String, on service: ServiceKey, each: @Sendable ([BatchLine]) async throws -> Void
    ) async throws {
        let service = try require(service)
        // The address that a batch names itself may lead past a relay, so it is not followed.
        let request = HTTPRequest(
            method: "GET", url: service.batchesURL + "/\(id)/results", headers: service.headers(),
            timeouts: Self.reading, maxResponseBytes: .max)
        do {
            let stream = try await client.stream(request)
            guard (200..<300).contains(stream.status) else {
                var body: [UInt8] = []
                for try await piece in stream.body where body.count < ErrorBody.limit { body += piece }
                throw JobError(body, status: stream.status, secret: service.apiKey)
            }
            var lines = BatchLineReader(secret: service.apiKey)
            for try await piece in stream.body {
                try lines.append(piece)
                if lines.count >= Self.portion || lines.bytes >= Self.portionBytes {
                    try await each(lines.take())
                }
            }
            try lines.finish()
            if lines.count > 0 { try await each(lines.take()) }
        } catch let error as HTTPClientError {
            throw JobError(error)
        }
    }
}

extension AnthropicService {
    var batchesURL: String { messagesURL + "/batches" }
}

extension RemoteBatch {
    init?(_ body: [UInt8]) {
        guard let json = try? JSON.parse(body) else { return nil }
        self.init(json)
    }

    init?(_ json: JSON) {
        guard let id = json["id"]?.string, (1...Self.longestID).contains(id.utf8.count),
            id.utf8.allSatisfy(Self.isPlain),
            let created = json["created_at"]?.string.flatMap(Timestamp.init(text:)),
            let status = json["processing_status"]?.string, let counts = json["request_counts"]
        else { return nil }
        let names = ["processing", "succeeded", "errored", "canceled", "expired"]
        // No batch has more than 100,000.
        let requests = names.reduce(0) { $0 + min(max(0, counts[$1]?.int ?? 0), 1_000_000) }
        self.init(
            id: id, createdAt: created, requests: requests,
            hasEnded: status == "ended", isCanceling: status == "canceling")
    }

    private static let longestID = 256

    /// It becomes part of a path.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension JSON {
    fileprivate static func answer(_ body: [UInt8]) throws -> JSON {
        do {
            return try parse(body)
        } catch {
            throw JobError(
                type: "malformed_answer", message: "the answer is not JSON: \(error)", retryable: true)
        }
    }
}

extension JobError {
    fileprivate init(_ body: [UInt8], status: Int, secret: Secret) {
        let refusal = Refusal(body, status: status, retryAfter: nil).redacting(secret)
        self.init(
            type: refusal.type ?? "api_error", message: "\(status): \(refusal.message)", status: status,
            retryable: true)
    }

    fileprivate init(_ error: HTTPClientError) {
        self.init(type: "connection_error", message: excerpt(error.message), retryable: true)
    }
}
