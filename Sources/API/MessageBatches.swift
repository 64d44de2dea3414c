import CrashPoint
import Crypto
import HTTPServer
import JSON
import Jobs
import Telemetry

/// `/v1/messages/batches`: the provider's own API for batches, each request a job.
extension API {
    /// Queue of batches, unless they name another.
    private static let batchQueue = "batches"
    /// What a batch may have in bytes, as the provider's own.
    private static let batchBytes = 256 << 20

    func createMessageBatch(_ call: Call) async throws -> Response {
        let store = try batchStore()
        var terms = try CallTerms(call.head, now: call.now.timestamp, cache: .use)
        if call.head.headers["x-renga-queue"] == nil { terms.draft.queue = Self.batchQueue }
        // A batch here ends in minutes; who wants it at half the price says so.
        terms.draft.lane = terms.draft.lane ?? .realtime
        let batch = try await store.beginUpload(now: call.now)
        do {
            let end = call.now.timestamp + MessageBatch.time
            terms.draft.deadline = min(terms.draft.deadline ?? end, end)
            let fingerprint = try await receive(call, terms, into: batch, store)
            return try await finish(batch, terms.idempotencyKey, fingerprint, call, store)
        } catch {
            // Not this caller's task any more: it may have hung up.
            let clock = clock
            await Task { try? await Self.discard(batch, store, clock) }.value
            throw error
        }
    }

    /// Takes the requests in as they come; gives the fingerprint of them all.
    private func receive(
        _ call: Call, _ terms: CallTerms, into batch: BatchID, _ store: any MessageBatchStore
    ) async throws -> [UInt8] {
        var splitter = RequestSplitter(limit: settings.limits.jobBytes)
        var portion: [BatchRequest] = []
        var fingerprint: [UInt8] = []
        var (bytes, inPortion) = (0, 0)
        var heardOf = clock.now().timestamp
        for try await piece in call.body.pieces {
            bytes += piece.count
            guard bytes <= Self.batchBytes else {
                throw Problem(
                    .bodyTooLarge, "a batch has at most \(Self.batchBytes) bytes", limit: Self.batchBytes)
            }
            // A slow upload is one all the same.
            if clock.now().timestamp >= heardOf + MessageBatch.patience / 10 {
                try await send(portion, to: batch, store)
                (portion, inPortion, heardOf) = ([], 0, clock.now().timestamp)
            }
            for request in try splitter.append(piece) {
                guard splitter.count <= MessageBatch.mostRequests else {
                    throw Problem(
                        .tooManyJobs, "a batch has at most \(MessageBatch.mostRequests) requests",
                        limit: MessageBatch.mostRequests)
                }
                let (read, digest) = try self.read(request, terms, call)
                fingerprint = SHA256.hash(fingerprint + digest)
                portion.append(read)
                inPortion += request.count
                if portion.count >= settings.limits.bulkChunkLines
                    || inPortion >= settings.limits.bulkChunkBytes
                {
                    try await send(portion, to: batch, store)
                    (portion, inPortion, heardOf) = ([], 0, clock.now().timestamp)
                }
            }
        }
        try splitter.finish()
        guard splitter.count > 0 else {
            throw Problem(.missingField, "“requests” must have one request or more", field: "requests")
        }
        try await send(portion, to: batch, store)
        return fingerprint
    }

    private func send(_ portion: [BatchRequest], to batch: BatchID, _ store: any MessageBatchStore)
        async throws
    {
        let repeated = try await store.upload(portion, to: batch, now: clock.now())
        crashPoint("batch-portion")
        guard let repeated else { return }
        throw Problem(
            .invalidField, "“custom_id” must be unique in the batch: “\(repeated)” stands there twice",
            field: "requests.custom_id")
    }

    /// A request of a batch.
    ///
    /// What is wrong with its parameters is its own affair, and becomes its result.
    private func read(
        _ bytes: [UInt8], _ terms: CallTerms, _ call: Call
    ) throws(Problem) -> (BatchRequest, digest: [UInt8]) {
        let request = try JSON.body(bytes, limits: settings.limits)
        var canonical: [UInt8] = []
        request.appendCanonical(to: &canonical)
        var customID: String?
        var params: JSON?
        for field in try Fields(request, "a request of a batch") {
            switch field.name {
            case "custom_id": customID = field.value.string
            case "params": params = field.value
            default: throw Problem.unknownField(field, prefix: "", known: ["custom_id", "params"])
            }
        }
        guard let customID, Self.isCustomID(customID) else {
            throw Problem(
                .invalidField, "“custom_id” must be 1 to 64 characters of A–Z a–z 0–9 _ -",
                field: "requests.custom_id")
        }
        guard let params, params.kind == .object else {
            throw Problem(.missingField, "a request needs “params”, an object", field: "requests.params")
        }
        let digest = SHA256.hash(canonical)
        do throws(Problem) {
            if params["stream"]?.bool == true {
                throw Problem(.invalidField, "“stream” is no part of a batch's requests", field: "stream")
            }
            var reader = JobReader(settings: settings, now: call.now.timestamp)
            return (BatchRequest(customID: customID, job: try reader.job(call: params, terms)), digest)
        } catch {
            let failure = JobError(
                type: "invalid_request_error", message: error.sentence, status: 400, retryable: false)
            let job = NewJob(
                queue: terms.draft.queue ?? Self.batchQueue, request: Array(params.raw),
                route: RouteKey(service: settings.service, model: settings.model), maxTokens: 1,
                promptHash: PromptHash(request: params), fingerprint: digest)
            return (BatchRequest(customID: customID, job: job, failure: failure), digest)
        }
    }

    private static func isCustomID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// Opens the batch, or gives the one that its key made before.
    private func finish(
        _ batch: BatchID, _ key: String?, _ fingerprint: [UInt8], _ call: Call, _ store: any MessageBatchStore
    ) async throws -> Response {
        crashPoint("batch-uploaded")
        let end = try await store.open(batch, key: key, fingerprint: fingerprint, now: clock.now())
        crashPoint("batch-opened")
        switch end {
        case .opened: return try await show(batch, call, store)
        case .givenUp: throw Problem(.timeout, "the upload stood still for too long and was given up")
        case .keyTaken: break
        }
        guard let key, let known = try await store.messageBatch(key: key), known.fingerprint == fingerprint
        else {
            throw Problem(
                .idempotencyMismatch, "this idempotency key made another batch", field: "idempotency-key"
            ).withHeader("x-should-retry", "false")
        }
        try await Self.discard(batch, store, clock)
        return try await show(known.id, call, store)
    }

    private static func discard(
        _ batch: BatchID, _ store: any MessageBatchStore, _ clock: any Clock
    ) async throws {
        while try await store.discard(batch, now: clock.now()) {}
    }

    /// Forgets what uploads left that a crash broke off.
    func discardBrokenUploads() async {
        guard let batches else { return }
        while !Task.isCancelled {
            do {
                for batch in try await batches.brokenUploads(now: clock.now()) {
                    log.notice("a broken upload is discarded", ["batch": "\(batch)"])
                    try await Self.discard(batch, batches, clock)
                }
            } catch {
                log.warning("broken uploads could not be discarded", ["error": "\(error)"])
            }
            // A cancelled sleep ends the loop.
            try? await Task.sleep(for: .milliseconds(MessageBatch.patience / 4))
        }
    }
}

extension API {
    func listMessageBatches(_ call: Call) async throws -> Response {
        let store = try batchStore()
        let parameters = try Parameters(call.head, known: ["limit", "after_id", "before_id", "beta"])
        let limit = try parameters.integer("limit", in: 1...1000) ?? 20
        func cursor(_ name: String) throws(Problem) -> BatchID? {
            guard let text = parameters[name] else { return nil }
            guard let id = BatchID(compatible: text) else {
                throw parameters.refuse(name, "the id of a batch")
            }
            return id
        }
        let (after, before) = (try cursor("after_id"), try cursor("before_id"))
        var found = try await store.messageBatches(
            after: after, before: before, limit: limit + 1, now: call.now)
        let hasMore = found.count > limit
        if hasMore { if before != nil { found.removeFirst() } else { found.removeLast() } }
        return .json { writer in
            writer.object { writer in
                writer.key("data")
                writer.array { writer in
                    for batch in found { writer.messageBatch(batch, call.head, now: call.now.timestamp) }
                }
                writer.field("has_more", hasMore)
                writer.field("first_id", found.first?.id.compatible)
                writer.field("last_id", found.last?.id.compatible)
            }
        }
    }

    func showMessageBatch(_ call: Call) async throws -> Response {
        let store = try batchStore()
        return try await show(try batchID(call), call, store)
    }

    func cancelMessageBatch(_ call: Call) async throws -> Response {
        let store = try batchStore()
        let id = try batchID(call)
        guard let batch = try await store.messageBatch(id, now: call.now) else { throw Self.unknown(call) }
        if batch.endedAt == nil {
            while try await store.cancel(id, now: clock.now()) {}
        }
        return try await show(id, call, store)
    }

    func deleteMessageBatch(_ call: Call) async throws -> Response {
        let store = try batchStore()
        let id = try batchID(call)
        guard let batch = try await store.messageBatch(id, now: call.now) else { throw Self.unknown(call) }
        guard batch.endedAt != nil else {
            throw Problem(.invalidRequest, "the batch has not ended: cancel it before it is deleted")
        }
        try await store.delete(id, now: call.now)
        return .json { writer in
            writer.object { writer in
                writer.field("id", id.compatible)
                writer.field("type", "message_batch_deleted")
            }
        }
    }

    func messageBatchResults(_ call: Call) async throws -> Response {
        let store = try batchStore()
        let id = try batchID(call)
        guard let batch = try await store.messageBatch(id, now: call.now),
            batch.archivedAt(call.now.timestamp) == nil
        else { throw Self.unknown(call) }
        guard batch.endedAt != nil else {
            throw Problem(.invalidRequest, "the batch has not ended: its results come with its end")
        }
        let expected = batch.counts.total
        return Response(
            headers: ["content-type": "application/x-jsonl"],
            body: .stream { writer in
                var (after, count) = (Int64(-1), 0)
                var length = PageLength()
                while true {
                    let page = try await store.results(of: id, after: after, limit: length.lines)
                    guard let last = page.last else { break }
                    var lines = JSONWriter()
                    for result in page {
                        lines.result(result)
                        lines.newline()
                    }
                    try await writer.write(lines.bytes)
                    after = last.finished.cursor
                    count += page.count
                    length.adapt(to: lines.bytes.count / page.count)
                }
                // Broken off visibly where some are gone.
                guard count == expected else { throw Problem(.internal, "\(count) of \(expected) results") }
            })
    }

    private func show(_ id: BatchID, _ call: Call, _ store: any MessageBatchStore) async throws -> Response {
        guard let batch = try await store.messageBatch(id, now: clock.now()) else { throw Self.unknown(call) }
        return .json { $0.messageBatch(batch, call.head, now: call.now.timestamp) }
    }

    private func batchStore() throws(Problem) -> any MessageBatchStore {
        guard let batches else { throw Problem(.notReady, "this server keeps no batches") }
        return batches
    }

    private func batchID(_ call: Call) throws(Problem) -> BatchID {
        guard let id = BatchID(compatible: call.parameters[0]) else { throw Self.unknown(call) }
        return id
    }

    private static func unknown(_ call: Call) -> Problem {
        let text = call.parameters.first ?? ""
        return Problem(.unknownBatch, "there is no batch “\(text.prefix(80))”")
    }
}

extension BatchID {
    /// As the Message Batches API names it.
    fileprivate var compatible: String { "msg" + description }

    fileprivate init?(compatible text: String) {
        guard text.hasPrefix("msg") else { return nil }
        self.init(String(text.dropFirst(3)))
    }
}

extension MessageBatch {
    /// From when on its results are no longer there; nil before.
    fileprivate func archivedAt(_ now: Timestamp) -> Timestamp? {
        let end = createdAt + MessageBatch.kept
        return end <= now ? end : nil
    }

    fileprivate var status: String {
        if endedAt != nil { return "ended" }
        return cancelledAt == nil ? "in_progress" : "canceling"
    }
}

extension Request.Body {
    /// As a stream, however it came.
    fileprivate var pieces: BodyStream {
        switch self {
        case .bytes(let bytes): BodyStream(bytes)
        case .stream(let stream): stream
        }
    }
}

extension JSONWriter {
    fileprivate mutating func messageBatch(_ batch: MessageBatch, _ head: RequestHead, now: Timestamp) {
        object { writer in
            writer.field("id", batch.id.compatible)
            writer.field("type", "message_batch")
            writer.field("processing_status", batch.status)
            writer.key("request_counts")
            writer.object { counts in
                counts.field("processing", batch.counts.total - batch.counts.finished)
                counts.field("succeeded", batch.counts.succeeded)
                counts.field("errored", batch.counts.failed - batch.expired)
                counts.field("canceled", batch.counts.cancelled)
                counts.field("expired", batch.expired)
            }
            writer.time("created_at", batch.createdAt)
            writer.time("expires_at", batch.expiresAt)
            writer.field("ended_at", batch.endedAt?.text)
            writer.field("cancel_initiated_at", batch.cancelledAt?.text)
            let archived = batch.archivedAt(now)
            writer.field("archived_at", archived?.text)
            let hasResults = batch.endedAt != nil && archived == nil
            writer.field("results_url", hasResults ? Self.results(of: batch.id, head) : nil)
        }
    }

    /// Where the caller found this server.
    private static func results(of id: BatchID, _ head: RequestHead) -> String {
        let path = "/v1/messages/batches/\(id.compatible)/results"
        guard let host = head.headers["host"] else { return path }
        return "\(head.headers["x-forwarded-proto"] == "https" ? "https" : "http")://\(host)\(path)"
    }

    fileprivate mutating func result(_ result: BatchResult) {
        let job = result.finished.job
        object { writer in
            writer.field("custom_id", result.customID)
            writer.key("result")
            writer.object { writer in
                switch job.state {
                case .succeeded:
                    writer.field("type", "succeeded")
                    writer.field("message", raw: job.response ?? Array("null".utf8))
                case .cancelled:
                    writer.field("type", "canceled")
                default:
                    writer.failure(job.error ?? .unknown)
                }
            }
        }
    }

    private mutating func failure(_ error: JobError) {
        guard error.type != "deadline_exceeded" else { return field("type", "expired") }
        let failure = CallFailure(error, job: nil)
        field("type", "errored")
        key("error")
        object { writer in
            writer.field("type", "error")
            writer.key("error")
            writer.object { writer in
                writer.field("type", failure.type)
                writer.field("message", failure.message)
            }
            writer.field("request_id", failure.requestID)
        }
    }
}
