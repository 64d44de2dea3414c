import JSON
import Jobs

/// Jobs, answers and refusals as the API and the worker would make them.
enum Sample {
    static let model = "claude-haiku-4-5-20251001"
    static let service = ServiceKey(
        provider: "anthropic", endpoint: "http://127.0.0.1:1", credential: "ANTHROPIC_API_KEY",
        simulated: false)
    static let otherService = ServiceKey(
        provider: "simulator", endpoint: "http://127.0.0.1:2", credential: "NONE", simulated: true)
    static let route = RouteKey(service: service, model: model)
    static let otherModel = RouteKey(service: service, model: "claude-sonnet-5")
    static let otherRoute = RouteKey(service: otherService, model: model)

    static let cacheTTL: Milliseconds = 86_400_000

    /// What `answer` costs: 21 tokens in, 4 out.
    static let cost = Money(nanodollars: 41_000)

    static func job(
        _ text: String, queue: String = "default", route: RouteKey = Sample.route,
        change: (inout NewJob) throws -> Void = { _ in }
    ) throws -> NewJob {
        let request = Array(
            #"{"model":"\#(route.model)","max_tokens":64,"messages":[{"role":"user","content":"\#(text)"}]}"#
                .utf8)
        var job = NewJob(
            queue: queue, request: request, route: route, maxTokens: 64,
            bound: CostBound(request: try JSON.parse(request)),
            promptHash: PromptHash(request: try JSON.parse(request)), fingerprint: Array(text.utf8))
        try change(&job)
        return job
    }

    static func jobs(_ count: Int, queue: String = "default", prefix: String = "prompt") throws -> [NewJob] {
        try (0..<count).map { try job("\(prefix) \($0)", queue: queue) }
    }

    static func answer(_ text: String = "positive", stopReason: String = "end_turn") -> Answer {
        let body = #"{"type":"message","role":"assistant","content":[{"type":"text","text":"\#(text)"}]}"#
        return Answer(
            body: Array(body.utf8), model: model, usage: Usage(inputTokens: 21, outputTokens: 4),
            stopReason: stopReason)
    }

    static func success(_ key: AttemptKey, _ text: String = "positive") -> Settlement {
        Settlement(key: key, verdict: .succeeded, routeEvent: .succeeded, answer: answer(text))
    }

    static func refusal(
        _ status: Int, type: String? = nil, code: String? = nil, message: String = "no",
        retryAfter: Milliseconds? = nil, limits: LimitReport? = nil
    ) -> Outcome {
        Outcome(
            .refusal(
                Refusal(
                    status: status, type: type, code: code, message: message,
                    retryAfter: retryAfter.map(RetryAfter.init(delay:)))),
            limits: limits)
    }
}

extension LimitReport {
    static func requests(_ limit: Int, remaining: Int? = nil) -> LimitReport {
        LimitReport(requests: Window(limit: limit, remaining: remaining))
    }
}
