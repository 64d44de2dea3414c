import HTTPClient
import JSON
import Jobs

/// A streamed answer as it grows: bytes in, in whatever pieces, and one result out.
///
/// Only `message_stop` makes it whole. A server that sends plain JSON to a call that asked for a stream is
/// understood too.
struct StreamedAnswer: AnswerStream {
    private let limit: Int
    private var reader: BodyReader
    private var builder = MessageBuilder()
    private let listener: (any AnswerListener)?

    /// `limit` is how many bytes of answer are kept.
    init(limit: Int, listener: (any AnswerListener)? = nil) {
        self.limit = limit
        self.listener = listener
        reader = BodyReader(limit: limit)
    }

    /// The result as soon as it is known; what comes after it does not matter.
    mutating func take(_ piece: [UInt8]) -> Outcome.Result? {
        for event in reader.take(piece) {
            if let result = take(event) { return result }
            if builder.textBytes > limit { return tooLarge }
        }
        return reader.isTooLarge ? tooLarge : nil
    }

    /// What it comes to when the body has ended, in order or by an error, and no result was known before.
    mutating func end(_ error: (any Error)? = nil) -> Outcome.Result {
        if let error { return Outcome.Result(error, usage: builder.usageSoFar) }
        if let plain = reader.plain { return Outcome.Result(message: plain) }
        if let last = reader.end(), (try? JSON.parse(last.data)) != nil, let result = take(last) {
            return result
        }
        return broken(.truncated, "the stream ended without message_stop")
    }

    private mutating func take(_ event: ServerEvent) -> Outcome.Result? {
        do {
            switch try builder.take(event) {
            case .more:
                listener?.heard(AnswerEvent(name: event.name, data: event.data))
                return nil
            case .complete: return .answer(try builder.answer())
            case .refused(let error): return .refusal(builder.refusal(error))
            }
        } catch {
            return broken(.malformed, error.reason)
        }
    }

    private var tooLarge: Outcome.Result { broken(.tooLarge, "the answer has more than \(limit) bytes") }

    private func broken(_ kind: Breakage.Kind, _ message: String) -> Outcome.Result {
        .broken(Breakage(kind: kind, message: message, maySent: true, usage: builder.usageSoFar))
    }
}
