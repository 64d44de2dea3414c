import Dialects
import HTTPServer
import JSON
import Jobs

/// `POST /v1/chat/completions`: the same calls in the words of chat completions.
extension API {
    func completions(_ call: Call) async throws -> Response {
        let body = try JSON.body(call.bytes, limits: settings.limits)
        let asked: CompletionRequest
        do {
            asked = try CompletionRequest(body, answeredBy: answering(body))
        } catch {
            throw Problem(.invalidField, error.message, field: error.parameter)
        }
        let request = try JSON.ofOwn(asked.messages, named: "the body")
        let created = call.now.timestamp
        var response = try await answer(request, call) { reply in
            switch reply {
            case .whole(let recorded): try Self.completion(recorded, asked, created)
            case .stream(let answer, let id): Self.chunks(of: answer, id, asked, created)
            }
        }
        if !asked.dropped.isEmpty {
            response.headers["x-renga-dropped"] = asked.dropped.joined(separator: ", ")
        }
        return response
    }

    /// The exact model that the request goes to: what it takes depends on that, and not on what it is called here.
    private func answering(_ body: JSON) -> String {
        let name = body["model"]?.string ?? settings.model
        return settings.routes.route(for: name)?.model ?? name
    }

    private static func completion(
        _ recorded: Conversation.Recorded, _ asked: CompletionRequest, _ created: Timestamp
    ) throws -> Response {
        var response: Response
        if asked.streams, let events = MessageReplay.events(of: recorded.body) {
            var stream = CompletionStream(created: created, includesUsage: asked.includesUsage)
            response = Response(
                contentType: EventText.mediaType, bytes: stream.lines(of: events) + stream.end())
            response.headers["cache-control"] = "no-cache"
        } else if let body = CompletionAnswer.completion(of: recorded.body, created: created) {
            response = Response(contentType: "application/json", bytes: body)
        } else {
            throw CallFailure(.unknown, job: recorded.id)
        }
        response.addHeaders(of: recorded)
        response.headers["x-request-id"] = response.headers["request-id"]
        return response
    }

    private static func chunks(
        of answer: any AnswerSubscription, _ id: JobID, _ asked: CompletionRequest, _ created: Timestamp
    ) -> Response {
        Response(streamOf: answer, of: id, contentType: EventText.mediaType) { writer in
            var stream = CompletionStream(created: created, includesUsage: asked.includesUsage)
            try await writer.write(answer: answer) { events in
                stream.lines(of: events)
            } ending: { ending in
                switch ending {
                case .answered: stream.end()
                case .broken(let error): Self.line(of: error)
                case .elsewhere: Self.line(of: .unknown)
                }
            }
        }
    }

    private static func line(of error: JobError) -> [UInt8] {
        let failure = CallFailure(error, job: nil)
        return CompletionStream.line(failure: failure.type, failure.message)
    }
}
