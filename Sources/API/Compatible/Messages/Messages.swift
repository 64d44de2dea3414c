import Dialects
import HTTPServer
import JSON
import Jobs

/// `POST /v1/messages`: the provider's own API, each call a job.
extension API {
    func messages(_ call: Call) async throws -> Response {
        let body = try JSON.body(call.bytes, limits: settings.limits)
        return try await answer(body, call) { reply in
            switch reply {
            case .whole(let recorded): Response(whole: recorded, streams: body["stream"]?.bool == true)
            case .stream(let answer, let id): Response(events: answer, of: id)
            }
        }
    }

    /// Has a Messages request answered, and puts what came of it into an API's words.
    func answer(
        _ request: JSON, _ call: Call, _ say: (Conversation.Reply) throws -> Response
    ) async throws -> Response {
        guard let interactive else { throw Problem(.notReady, "this server makes no calls") }
        var terms = try CallTerms(call.head, now: call.now.timestamp, cache: settings.interactiveCache)
        if terms.draft.processing == .batch {
            throw Problem(
                .invalidHeader,
                "“x-renga-processing” cannot be batch for a call whose caller waits; use POST /v1/jobs",
                field: "x-renga-processing")
        }
        terms.draft.processing = .realtime
        var reader = JobParser(snapshot, now: call.now.timestamp)
        reader.idempotencyKey = terms.idempotencyKey
        let job = try reader.job(call: request, terms)
        let flight = repeats.flight(call, caller: call.caller, hasKey: job.idempotency != nil)
        let conversation = Conversation(
            api: self, interactive: interactive, job: job, streams: request["stream"]?.bool == true,
            patience: settings.patience(of: call.head), flight: flight)
        return try say(try await conversation.reply()).keeping(flight)
    }
}

extension Response {
    /// A Message, or the events that it would have come in.
    init(whole: Conversation.Recorded, streams: Bool) {
        if streams, let events = MessageReplay.events(of: whole.body) {
            self.init(contentType: EventText.mediaType, bytes: EventText.of(events))
            headers["cache-control"] = "no-cache"
        } else {
            self.init(contentType: "application/json", bytes: whole.body)
        }
        addHeaders(of: whole)
    }

    /// A Message's events as they come.
    ///
    /// The last one waits until the answer is on disk; what breaks off ends with an `error` event.
    init(events answer: any AnswerSubscription, of id: JobID) {
        self.init(streamOf: answer, of: id, contentType: EventText.mediaType) { writer in
            try await writer.write(answer: answer) { events in
                EventText.of(events)
            } ending: { ending in
                switch ending {
                case .answered: return EventText.of([.messageStop])
                case .broken(let error): return EventText.of([.error(error)])
                case .elsewhere: return EventText.of([.error(.unknown)])
                }
            }
        }
    }

    /// A streamed answer in whatever words.
    init(
        streamOf answer: any AnswerSubscription, of id: JobID, contentType: String,
        _ produce: @escaping @Sendable (ResponseWriter) async throws -> Void
    ) {
        self.init(
            headers: [
                "content-type": contentType, "cache-control": "no-cache", "x-renga-job": id.description,
            ],
            body: .stream(produce))
        addHeaders(of: answer.head)
    }

    mutating func addHeaders(of recorded: Conversation.Recorded) {
        headers["x-renga-job"] = recorded.id.description
        headers["x-renga-cached"] = recorded.isCached ? "true" : "false"
        if recorded.isReplayed { headers["idempotent-replayed"] = "true" }
        if let cost = recorded.cost { headers["x-renga-cost-usd"] = cost.description }
        if let attempt = recorded.attempt { headers["x-renga-attempt"] = String(attempt) }
        if let model = recorded.model { headers["x-renga-model"] = model }
        addHeaders(of: recorded.head)
    }

    /// The provider's own id and limits are its callers' to see.
    mutating func addHeaders(of head: AnswerHead?) {
        guard let head else { return }
        if let id = head.requestID { headers["request-id"] = id }
        for header in head.headers { headers.add(header.name, header.value) }
    }
}

extension ResponseWriter {
    /// Writes an answer as it comes, at this reader's pace.
    func write(
        answer: any AnswerSubscription, _ text: ([AnswerEvent]) throws -> [UInt8],
        ending: (AnswerEnding) throws -> [UInt8]
    ) async throws {
        var count = 0
        while true {
            switch try await answer.news(after: count) {
            case .events(let events):
                count += events.count
                let bytes = try text(events)
                if !bytes.isEmpty { try await write(bytes) }
            case .ended(let end):
                return try await write(try ending(end))
            }
        }
    }
}

extension AnswerEvent {
    /// How a stream says that it broke off.
    static func error(_ error: JobError) -> AnswerEvent {
        let failure = CallFailure(error, job: nil)
        var writer = JSONWriter()
        writer.object { $0.messagesError(failure.type, failure.message) }
        return AnswerEvent(name: "error", data: writer.bytes)
    }
}
