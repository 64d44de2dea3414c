import HTTPClient
import JSON
import Jobs

/// An attempt as the HTTP request that makes its call.
struct CallPlan<Format: WireFormat> {
    var request: HTTPRequest
    var streams: Bool
    /// How its answer is read.
    var format: Format
}

extension CallPlan<MessagesFormat> {
    /// The job's bytes are passed on verbatim, but for `stream`, as how the answer travels is not the job's affair, and
    /// for sampling parameters that say nothing.
    init(_ attempt: ClaimedAttempt, _ service: AnthropicService, _ settings: CallSettings) throws(JSONError) {
        let body = try JSON.parse(attempt.request, maxDepth: JSON.deepest)
        let asked = body["stream"]?.bool == true
        streams = asked || (attempt.maxTokens > settings.streamAbove && body.kind == .object)
        let shorter = body.withoutIdleSampling
        let bytes =
            streams && !asked
            ? (shorter ?? body).replacing("stream", with: Array("true".utf8))
            : shorter.map { Array($0.raw) } ?? attempt.request
        request = HTTPRequest(
            url: service.messagesURL, headers: service.headers(betas: attempt.betas), body: bytes,
            timeouts: settings.timeouts,
            maxResponseBytes: streams ? settings.maxStreamBytes : settings.maxAnswerBytes,
            mayRepeat: false)
        format = MessagesFormat(limit: settings.maxAnswerBytes)
    }
}
