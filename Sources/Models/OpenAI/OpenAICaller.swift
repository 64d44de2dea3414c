package import HTTPClient
import JSON
package import Jobs

/// Makes attempts' calls over chat completions: a Messages request goes out translated, and a Message comes back.
package final class OpenAICaller: ModelCaller {
    package let services: [ServiceKey]
    private let known: [ServiceKey: OpenAIService]
    private let client: HTTPClient
    private let settings: CallSettings
    private let clock: any Clock

    /// The clock only reads a `retry-after` that is a date, if the answer does not date itself.
    package init(
        services: [OpenAIService], client: HTTPClient, settings: CallSettings = CallSettings(),
        clock: any Clock
    ) {
        self.services = services.map(\.key)
        known = Dictionary(services.map { ($0.key, $0) }) { _, last in last }
        self.client = client
        self.settings = settings
        self.clock = clock
    }

    package var fingerprints: [ServiceKey: String] {
        known.compactMapValues { $0.key.fingerprint(ofKey: $0.apiKey.reveal()) }
    }

    /// Makes the attempt's call, as a stream if it may be long; what the dialect cannot say is not sent.
    package func call(_ attempt: ClaimedAttempt, listener: (any AnswerListener)?) async -> Outcome {
        guard let service = known[attempt.route.service] else {
            return .unsendable("this worker has no credential for \(attempt.route.name)")
        }
        do {
            let plan = try ChatPlan(attempt, service, settings)
            return await client.call(
                plan.request, streams: plan.streams, in: plan.format, clock: clock, listener: listener,
                secret: service.apiKey)
        } catch let error as Unmappable {
            return .unsendable("\(attempt.route.service.provider) cannot be asked this: \(error.message)")
        } catch {
            return .unsendable("the request is not JSON: \(error)")
        }
    }
}

/// An attempt as the HTTP request that makes its call.
struct ChatPlan {
    var request: HTTPRequest
    var streams: Bool
    var format: ChatFormat

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
