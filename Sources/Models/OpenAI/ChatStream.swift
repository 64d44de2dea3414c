import HTTPClient
import JSON
import Jobs

/// A streamed chat completion as it grows: bytes in, in whatever pieces, and one result out.
///
/// `[DONE]` ends it; so does the end of the body if a finish_reason has come, as OpenAI's own library takes it.
/// A server that sends plain JSON to a call that asked for a stream is understood too.
struct ChatStream: AnswerStream {
    private let limit: Int
    private var reader: BodyReader
    private var answer: ChatAnswer
    private let listener: (any AnswerListener)?
    private var events = ChatEvents()

    /// `limit` is how many bytes of answer are kept.
    init(limit: Int, assuming assumed: ChatAnswer.Assumed, listener: (any AnswerListener)? = nil) {
        self.limit = limit
        self.listener = listener
        reader = BodyReader(limit: limit)
        answer = ChatAnswer(assuming: assumed)
    }

    mutating func take(_ piece: [UInt8]) -> Outcome.Result? {
        for event in reader.take(piece) {
            if let result = take(event) { return result }
            if answer.textBytes > limit { return tooLarge }
        }
        return reader.isTooLarge ? tooLarge : nil
    }

    mutating func end(_ error: (any Error)?) -> Outcome.Result {
        if let error {
            let isWhole = answer.finishReason != nil && answer.usage != nil
            return isWhole ? finished() : Outcome.Result(error, usage: answer.usageSoFar)
        }
        if let plain = reader.plain { return Outcome.Result(completion: plain, assuming: answer.assumed) }
        if let last = reader.end(), !last.data.isEmpty, let result = take(last) { return result }
        guard answer.finishReason == nil else { return finished() }
        return broken(.truncated, "the stream ended without finish_reason and [DONE]")
    }

    private mutating func take(_ event: ServerEvent) -> Outcome.Result? {
        guard !event.data.elementsEqual("[DONE]".utf8) else { return finished() }
        guard let chunk = try? JSON.parse(event.data, maxDepth: JSON.deepest), chunk.kind == .object else {
            return broken(.malformed, "a chunk of the stream is not JSON")
        }
        if let error = ChatError(chunk) {
            return .refusal(
                Refusal(error, status: 200, usage: answer.usageSoFar, answerBegan: answer.hasBegun))
        }
        answer.take(chunk: chunk)
        notify()
        return nil
    }

    private mutating func notify(_ whole: Answer? = nil) {
        guard let listener else { return }
        for event in whole.map({ events.ending($0) }) ?? events.events(of: answer) { listener.heard(event) }
    }

    private mutating func finished() -> Outcome.Result {
        do {
            let whole = try answer.message()
            notify(whole)
            return .answer(whole)
        } catch {
            return broken(.malformed, error.reason)
        }
    }

    private var tooLarge: Outcome.Result { broken(.tooLarge, "the answer has more than \(limit) bytes") }

    private func broken(_ kind: Breakage.Kind, _ message: String) -> Outcome.Result {
        .broken(Breakage(kind: kind, message: message, maySent: true, usage: answer.usageSoFar))
    }
}
