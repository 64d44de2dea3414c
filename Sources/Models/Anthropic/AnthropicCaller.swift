package import HTTPClient
package import Jobs

/// Makes attempts' calls over the Messages API and reads what comes back; decides nothing.
package final class AnthropicCaller: ModelCaller {
    package let services: [ServiceKey]
    private let known: [ServiceKey: AnthropicService]
    private let client: HTTPClient
    private let settings: CallSettings
    private let clock: any Clock

    /// The clock only reads a `retry-after` that is a date, if the answer does not date itself.
    package init(
        services: [AnthropicService], client: HTTPClient, settings: CallSettings = CallSettings(),
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

    package func countTokens(
        _ request: [UInt8], on route: RouteKey, betas: [String]
    ) async throws -> PassedAnswer? {
        guard let service = known[route.service] else { return nil }
        do {
            let response = try await client.send(
                HTTPRequest(
                    url: service.messagesURL + "/count_tokens", headers: service.headers(betas: betas),
                    body: request, timeouts: settings.timeouts, maxResponseBytes: ErrorBody.limit,
                    mayRepeat: true))
            return PassedAnswer(
                status: response.status, head: AnswerHead(response.headers).redacting(service.apiKey),
                body: service.apiKey.redacted(response.body))
        } catch let error as HTTPClientError {
            throw JobError(type: "api_error", message: excerpt(error.message), status: 502, retryable: true)
        }
    }

    /// Makes the attempt's call as a stream if it may be long, plainly otherwise.
    package func call(_ attempt: ClaimedAttempt, listener: (any AnswerListener)?) async -> Outcome {
        guard let service = known[attempt.route.service] else {
            return .unsendable("this worker has no credential for \(attempt.route.name)")
        }
        let plan: CallPlan
        do {
            plan = try CallPlan(attempt, service, settings)
        } catch {
            return .unsendable("the request is not JSON: \(error)")
        }
        return await client.call(
            plan.request, streams: plan.streams, in: MessagesFormat(limit: settings.maxAnswerBytes),
            clock: clock, listener: listener,
            secret: service.apiKey)
    }
}

/// How the Messages API's answer is read.
struct MessagesFormat: WireFormat {
    let limit: Int

    func outcome(of body: [UInt8], status: Int, headers: HTTPHeaders, now: Timestamp) -> Outcome {
        Outcome(reading: body, status: status, headers: headers, now: now)
    }

    func outcome(_ result: Outcome.Result, headers: HTTPHeaders) -> Outcome {
        Outcome(result, headers: headers)
    }

    func limits(_ headers: HTTPHeaders) -> LimitReport? { LimitReport(headers) }

    func stream(listener: (any AnswerListener)?) -> StreamedAnswer {
        StreamedAnswer(limit: limit, listener: listener)
    }
}
