package import HTTPClient
package import Jobs

/// Makes attempts' calls over the Messages API and reads what comes back; decides nothing.
package final class AnthropicCaller: ModelCaller {
    package let services: [ServiceKey]
    private let known: [ServiceKey: AnthropicService]
    private let client: HTTPClient
    private let settings: CallSettings
    private let clock: any Clock

    /// The clock only reads a `retry-after` that is a date, where the answer does not date itself.
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

    /// Makes the attempt's call as a stream where it may be long, plainly otherwise.
    package func call(_ attempt: ClaimedAttempt) async -> Outcome {
        guard let service = known[attempt.route.service] else {
            return .unsendable("this worker has no credential for \(attempt.route.name)")
        }
        let plan: CallPlan
        do {
            plan = try CallPlan(attempt, service, settings)
        } catch {
            return .unsendable("the request is not JSON: \(error)")
        }
        do {
            return plan.streams ? try await stream(plan.request) : try await plain(plan.request)
        } catch {
            return Outcome(.init(error, usage: nil))
        }
    }

    private func plain(_ request: HTTPRequest) async throws -> Outcome {
        let response = try await client.send(request)
        return Outcome(
            reading: response.body, status: response.status, headers: response.headers,
            now: clock.now().timestamp)
    }

    private func stream(_ request: HTTPRequest) async throws -> Outcome {
        let stream = try await client.stream(request)
        guard (200..<300).contains(stream.status) else {
            let body = try await stream.body.collected(atMost: ErrorBody.limit)
            return Outcome(
                reading: body, status: stream.status, headers: stream.headers, now: clock.now().timestamp)
        }
        let result = await read(stream.body)
        return Outcome(result, headers: stream.headers)
    }

    private func read(_ body: HTTPBody) async -> Outcome.Result {
        var answer = StreamedAnswer(limit: settings.maxAnswerBytes)
        do {
            for try await piece in body {
                guard let result = answer.take(piece) else { continue }
                finish(body)
                return result
            }
            return answer.end()
        } catch {
            return answer.end(error)
        }
    }

    /// Reads past the last event, so that the connection is kept: dropping a body before its end closes it.
    private func finish(_ body: HTTPBody) {
        Task {
            // The answer is complete; how the connection ends does not matter any more.
            _ = try? await body.collected(atMost: 1 << 10)
        }
    }
}

extension HTTPBody {
    /// The first bytes of the body, at most some more than the limit.
    fileprivate func collected(atMost limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in self {
            bytes += piece
            if bytes.count >= limit { break }
        }
        return bytes
    }
}
