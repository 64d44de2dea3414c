import HTTPServer

/// Calls that the model never sees.
extension Exchange {
    func limit(_ refusal: RateLimiter.Refusal) -> APIError {
        var error = APIError(
            429, "rate_limit_error",
            "This request would exceed your organization's rate limit of \(refusal.limit) \(refusal.meter) per minute "
                + "(model: \(call.model.id)). See the response headers for current usage.")
        error.headers["retry-after"] = String(max(1, (refusal.milliseconds + 999) / 1000))
        return error
    }

    func refuse(_ error: APIError, fault: String?) -> Response {
        end(status: error.status, fault: fault)
        var response = error.response(requestID: visit.requestID, in: visit.dialect)
        for (name, value) in rateLimits() { response.headers.add(name, value) }
        return response
    }

    /// A fault that costs nothing: its tokens go back to the buckets, the request itself stays spent.
    mutating func fail(_ fault: Fault) async -> Response {
        if let admission { plan.limiter.settle(admission, input: 0, output: 0, at: simulator.clock.uptime()) }
        if let wait = marker?.latency { _ = await sleep(wait) }
        switch fault.kind {
        case .reset:
            end(status: nil, fault: fault.name)
            return Delivery.broken
        case .stall:
            end(status: nil, fault: fault.name)
            _ = await sleep(plan.settings.stall)
            return Delivery.broken
        case .html(let status):
            end(status: status, fault: fault.name)
            return Fault.page(status)
        default:
            let error = fault.error(in: visit.dialect, at: simulator.clock.timestamp())
            return refuse(error, fault: fault.name)
        }
    }

    func headers() -> Headers {
        var headers = APIError.headers(in: visit.dialect, requestID: visit.requestID)
        for (name, value) in rateLimits() { headers.add(name, value) }
        return headers
    }

    private func rateLimits() -> [(String, String)] {
        plan.limiter.headers(
            call.model.limitClass, in: visit.dialect, uptime: simulator.clock.uptime(),
            timestamp: simulator.clock.timestamp())
    }

    private func end(status: Int?, fault: String?) {
        let end = CallEnd(status: status, fault: fault, model: call.model.id)
        simulator.journal.end(visit.ticket, end, at: simulator.clock.timestamp())
    }
}

extension APIError {
    /// On every answer of the provider.
    static let headers: Headers = [
        "content-type": "application/json",
        "anthropic-organization-id": "00000000-0000-4000-8000-000000000051",
        "anthropic-workspace-id": "wrkspc_simulated",
    ]

    /// What accompanies every answer in this dialect.
    static func headers(in dialect: Dialect, requestID: String) -> Headers {
        guard dialect.isChat else { return headers }
        return [
            "content-type": "application/json", "openai-version": "2020-10-01", "x-request-id": requestID,
        ]
    }

    /// The answer; the server adds the request's id as `request-id`.
    func response(requestID: String, in dialect: Dialect = .messages) -> Response {
        var headers = Self.headers(in: dialect, requestID: requestID)
        for (name, value) in self.headers.sorted(by: { $0.key < $1.key }) { headers.add(name, value) }
        return Response(
            status: status, headers: headers,
            body: .bytes(dialect.isChat ? chatBody() : body(requestID: requestID)))
    }
}
