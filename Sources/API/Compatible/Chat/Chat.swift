import Dialects
import HTTPServer
import JSON
import Jobs

/// `POST /chat`: for the simplest callers.
extension API {
    private static let chatFields = ["messages", "model", "system", "temperature", "max_tokens", "stream"]

    func chat(_ call: Call) async throws -> Response {
        let body = try Self.chatRequest(try JSON.body(call.bytes, limits: settings.limits))
        let streams = try body["stream"].map { try Field(name: "stream", value: $0).flag() } ?? false
        return try await answer(body, call) { reply in
            switch reply {
            case .whole(let recorded) where streams:
                var response = Response(
                    contentType: Self.textType,
                    bytes: MessageText.of(MessageReplay.events(of: recorded.body) ?? []))
                response.headers["cache-control"] = "no-cache"
                response.addHeaders(of: recorded)
                return response
            case .whole(let recorded): return Response(whole: recorded, streams: false)
            case .stream(let answer, let id): return Self.text(of: answer, id)
            }
        }
    }

    /// What was sent without what was left out: nulls are no part of a Messages request.
    static func chatRequest(_ body: JSON) throws -> JSON {
        var writer = JSONWriter()
        try writer.object { writer in
            for field in try Fields(body, "the body") {
                guard chatFields.contains(field.name) else {
                    throw Problem.unknownField(field, prefix: "", known: chatFields)
                }
                writer.field(field.name, raw: field.value.raw)
            }
        }
        return try JSON.ofOwn(writer.bytes, named: "the body")
    }

    private static let textType = "text/plain; charset=utf-8"

    /// The text as it comes; text has no words for a failure, and so what breaks off breaks the connection.
    private static func text(of answer: any AnswerSubscription, _ id: JobID) -> Response {
        Response(streamOf: answer, of: id, contentType: textType) { writer in
            try await writer.write(answer: answer, MessageText.of) { ending in
                switch ending {
                case .answered: return []
                case .broken(let error): throw CallFailure(error, job: id)
                case .elsewhere: throw CallFailure(.unknown, job: id)
                }
            }
        }
    }
}
