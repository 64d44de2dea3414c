package import HTTPClient
package import Jobs

/// Makes attempts' calls over the Messages API and reads what comes back; decides nothing.
package final class AnthropicCaller: ModelCaller {
    private let caller: ServiceCaller<AnthropicService>

    /// The clock only reads a `retry-after` that is a date, if the answer does not date itself.
    package init(
        services: [AnthropicService], client: HTTPClient, settings: CallSettings = CallSettings(),
        clock: any Clock
    ) {
        caller = ServiceCaller(services: services, client: client, settings: settings, clock: clock)
    }

    package var services: [ServiceKey] { caller.services }

    package var fingerprints: [ServiceKey: String] { caller.fingerprints }

    package func countTokens(
        _ request: [UInt8], on route: RouteKey, betas: [String]
    ) async throws -> PassedAnswer? {
        guard let service = caller[route.service] else { return nil }
        do {
            let response = try await caller.client.send(
                HTTPRequest(
                    url: service.messagesURL + "/count_tokens", headers: service.headers(betas: betas),
                    body: request, timeouts: caller.settings.timeouts, maxResponseBytes: ErrorBody.limit,
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
        await caller.call(attempt, listener: listener, plan: CallPlan<MessagesFormat>.init)
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
