import CrashPoint
import Crypto
import HTTPServer
import JSON
import Jobs
import Telemetry

/// `/v1/messages/batches`: the provider's own API for batches, each request a job.
extension API {
    /// Queue of batches, unless they name another.
    static let batchQueue = "batches"
    /// What a batch may have in bytes, as the provider's own.
    private static let batchBytes = 256 << 20

    func createMessageBatch(_ call: Call) async throws -> Response {
        let store = try batchStore()
        var terms = try CallTerms(call.head, now: call.now.timestamp, cache: .use)
        if call.head.headers["x-renga-queue"] == nil { terms.draft.queue = Self.batchQueue }
        // A batch here ends in minutes; who wants it at half the price says so.
        terms.draft.processing = terms.draft.processing ?? .realtime
        let batch = try await store.beginUpload()
        do {
            let end = call.now.timestamp + MessageBatch.time
            terms.draft.deadline = min(terms.draft.deadline ?? end, end)
            let fingerprint = try await receive(call, terms, into: batch, store)
            return try await finish(batch, terms.idempotencyKey, fingerprint, call, store)
        } catch {
            // Not this caller's task any more: it may have hung up.
            let log = log
            await Task {
                do {
                    try await Self.discard(batch, store)
                } catch {
                    // `discardBrokenUploads` tries again.
                    log.warning("broken uploads could not be discarded", ["error": "\(error)"])
                }
            }.value
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
        var heardOf = store.now().timestamp
        let share = BodyMemory.Share(of: settings.bodyMemory)
        for try await piece in call.body.pieces {
            bytes += piece.count
            guard bytes <= Self.batchBytes else {
                throw Problem(
                    .bodyTooLarge, "a batch has at most \(Self.batchBytes) bytes", limit: Self.batchBytes)
            }
            guard share.hold(splitter.held + inPortion + piece.count) else { throw Problem(.overloaded) }
            // A slow upload is one all the same.
            if store.now().timestamp >= heardOf + MessageBatch.patience / 10 {
                try await send(portion, to: batch, store)
                (portion, inPortion, heardOf) = ([], 0, store.now().timestamp)
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
                    (portion, inPortion, heardOf) = ([], 0, store.now().timestamp)
                }
            }
        }
        try splitter.finish()
        guard splitter.count > 0 else {
            throw Problem(.missingField, "“requests” is missing or empty", field: "requests")
        }
        try await send(portion, to: batch, store)
        return fingerprint
    }

    private func send(_ portion: [BatchRequest], to batch: BatchID, _ store: any MessageBatchStore)
        async throws
    {
        let repeated = try await store.upload(portion, to: batch)
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
            if let name = JobParser.refusedInBatches(params, maxTokens: params["max_tokens"]?.int) {
                throw Problem(
                    .invalidField, "“\(name)” is no part of a batch's requests",
                    field: name.split(separator: ":").first.map(String.init))
            }
            var reader = JobParser(snapshot, now: call.now.timestamp)
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
        let end = try await store.open(batch, key: key, fingerprint: fingerprint)
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
        try await Self.discard(batch, store)
        return try await show(known.id, call, store)
    }

    private static func discard(_ batch: BatchID, _ store: any MessageBatchStore) async throws {
        while try await store.discard(batch) {}
    }

    /// Forgets what uploads left that a crash broke off.
    func discardBrokenUploads() async {
        guard let batches else { return }
        while !Task.isCancelled {
            do {
                for batch in try await batches.brokenUploads() {
                    log.notice("a broken upload is discarded", ["batch": "\(batch)"])
                    try await Self.discard(batch, batches)
                }
            } catch {
                log.warning("broken uploads could not be discarded", ["error": "\(error)"])
            }
            // A cancelled sleep ends the loop.
            try? await Task.sleep(for: .milliseconds(MessageBatch.patience / 4))
        }
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
