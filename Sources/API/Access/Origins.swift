import HTTPServer

/// What browsers ask before their pages may call, and what they look for in answers.
///
/// Source: https://fetch.spec.whatwg.org/#http-cors-protocol
extension API {
    private static let sent =
        [
            "content-type", "authorization", "x-api-key", "anthropic-version", "anthropic-beta",
            "idempotency-key", "x-stainless-retry-count", "x-stainless-read-timeout",
        ] + CallTerms.names.map { "x-renga-" + $0 }
    private static let told = [
        "request-id", "retry-after", "x-renga-job", "x-renga-cached", "x-renga-cost-usd", "x-renga-attempt",
        "x-renga-model", "x-renga-dropped", "x-should-retry", "idempotent-replayed",
    ]
    /// Seconds that a browser may remember the answer.
    private static let memory = "600"

    /// The answer to a preflight of a page that may call; nil for everything else.
    func preflight(_ head: RequestHead) -> Response? {
        guard head.method == "OPTIONS", allowedOrigin(head) != nil,
            head.headers["access-control-request-method"] != nil
        else { return nil }
        var response = Response(status: 204)
        response.headers["access-control-allow-methods"] = "GET, HEAD, POST, PUT, PATCH, DELETE"
        response.headers["access-control-allow-headers"] = Self.sent.joined(separator: ", ")
        response.headers["access-control-max-age"] = Self.memory
        return response
    }

    /// Lets the page read the answer, if its origin is one of those that may.
    func welcome(_ head: RequestHead, to response: inout Response) {
        guard !settings.allowedOrigins.isEmpty else { return }
        response.headers.add("vary", "Origin")
        guard let origin = allowedOrigin(head) else { return }
        response.headers["access-control-allow-origin"] = origin
        response.headers["access-control-expose-headers"] = Self.told.joined(separator: ", ")
    }

    private func allowedOrigin(_ head: RequestHead) -> String? {
        head.headers["origin"].flatMap { settings.allowedOrigins.contains($0) ? $0 : nil }
    }
}
