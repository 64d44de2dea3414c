import HTTPServer
import JSON
import Jobs

/// `POST /v1/messages/count_tokens`: passed on to the route's provider; it costs nothing and is no job.
extension API {
    func countTokens(_ call: Call) async throws -> Response {
        guard let interactive else { throw Problem(.notReady, "this server makes no calls") }
        let terms = try CallTerms(call.head, now: call.now.timestamp, cache: .off)
        var request = try MessagesRequest(
            try JSON.body(call.bytes, limits: settings.limits), named: "",
            defaults: .init(model: settings.model, maxTokens: nil))
        let route = try settings.routes.route(for: request.model, field: "model")
        if route.model != request.model { try request.send(to: route.model) }
        guard let answer = try await interactive.countTokens(request.bytes, on: route, betas: terms.betas)
        else {
            throw Problem(
                .invalidRequest,
                "\(route.service.provider) counts no tokens: ask for a model of another provider")
        }
        guard (200..<300).contains(answer.status) || (400..<600).contains(answer.status) else {
            throw JobError(
                type: "api_error", message: "the provider answered with the status \(answer.status)",
                status: answer.status, retryable: true)
        }
        var response = Response(status: answer.status, contentType: "application/json", bytes: answer.body)
        response.addHeaders(of: answer.head)
        return response
    }
}
