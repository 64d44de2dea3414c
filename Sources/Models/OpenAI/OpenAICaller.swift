package import HTTPClient
import JSON
package import Jobs

/// Makes attempts' calls over chat completions: a Messages request goes out translated, and a Message comes back.
package final class OpenAICaller: ModelCaller {
    private let caller: ServiceCaller<OpenAIService>

    /// The clock only reads a `retry-after` that is a date, if the answer does not date itself.
    package init(
        services: [OpenAIService], client: HTTPClient, settings: CallSettings = CallSettings(),
        clock: any Clock
    ) {
        caller = ServiceCaller(services: services, client: client, settings: settings, clock: clock)
    }

    package var services: [ServiceKey] { caller.services }

    package var fingerprints: [ServiceKey: String] { caller.fingerprints }

    /// Makes the attempt's call, as a stream if it may be long; what the dialect cannot say is not sent.
    package func call(_ attempt: ClaimedAttempt, listener: (any AnswerListener)?) async -> Outcome {
        await caller.call(attempt, listener: listener, plan: CallPlan<ChatFormat>.init)
    }
}

extension CallPlan<ChatFormat> {
    /// The model is the route's: the one that this provider knows.
    init(_ attempt: ClaimedAttempt, _ service: OpenAIService, _ settings: CallSettings) throws {
        let body = try JSON.parse(attempt.request, maxDepth: JSON.deepest)
        streams = body["stream"]?.bool == true || attempt.maxTokens > settings.streamAbove
        let chat = ChatRequest(request: body, model: attempt.route.model, limitField: service.limitField)
        let bytes = try chat.body(streams: streams)
        request = HTTPRequest(
            url: service.completionsURL, headers: service.headers, body: bytes, timeouts: settings.timeouts,
            maxResponseBytes: streams ? settings.maxStreamBytes : settings.maxAnswerBytes, mayRepeat: false)
        format = ChatFormat(
            limit: settings.maxAnswerBytes,
            assumed: ChatAnswer.Assumed(model: attempt.route.model, requestBytes: bytes.count))
    }
}
