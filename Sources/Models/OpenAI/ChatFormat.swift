import HTTPClient
import JSON
import Jobs

/// How a chat completion's answer is read.
struct ChatFormat: WireFormat {
    let limit: Int
    let assumed: ChatAnswer.Assumed

    func outcome(of body: [UInt8], status: Int, headers: HTTPHeaders, now: Timestamp) -> Outcome {
        guard (200..<300).contains(status) else {
            let wait = RetryAfter(headers, now: now) ?? ChatRateLimits(headers).wait(status: status)
            return outcome(.refusal(Refusal(chat: body, status: status, retryAfter: wait)), headers: headers)
        }
        return outcome(Outcome.Result(completion: body, assuming: assumed), headers: headers)
    }

    func outcome(_ result: Outcome.Result, headers: HTTPHeaders) -> Outcome {
        Outcome(
            result, requestID: headers["x-request-id"] ?? headers["request-id"],
            limits: limits(headers))
    }

    func limits(_ headers: HTTPHeaders) -> LimitReport? {
        ChatRateLimits(headers).report ?? LimitReport(headers)
    }

    func stream(listener: (any AnswerListener)?) -> ChatStream {
        ChatStream(limit: limit, assuming: assumed, listener: listener)
    }
}

extension Outcome.Result {
    /// Reads the body of a success: a chat completion, or the error that some relays send with a 200.
    init(completion body: [UInt8], assuming assumed: ChatAnswer.Assumed) {
        do throws(NotAMessage) {
            let json = try Self.parse(body)
            if let error = ChatError(json) {
                self = .refusal(Refusal(error, status: 200))
            } else {
                self = .answer(try ChatAnswer(whole: json, assuming: assumed).message())
            }
        } catch {
            self = .broken(
                Breakage(kind: .malformed, message: error.reason, maySent: true, usage: error.usage))
        }
    }

    private static func parse(_ body: [UInt8]) throws(NotAMessage) -> JSON {
        do {
            return try JSON.parse(body, maxDepth: JSON.deepest)
        } catch {
            throw NotAMessage(
                reason: body.isEmpty ? "the answer is empty" : "the answer is not JSON: \(error)")
        }
    }
}
