// Apart from the rest because Jobs, too, has a `Refusal`.
package import HTTPServer

extension API {
    package func refuse(_ refusal: Refusal, head: RequestHead?) -> Response {
        var problem = Problem(refusal)
        // A stranger learns that the key is missing, not how large a body may be.
        if let head {
            do { _ = try admit(head) } catch { problem = error }
        }
        var response = problem.response(head.map(ErrorFormat.of) ?? .renga, requestID: head?.id)
        if let head { response.headers["request-id"] = head.id }
        return response
    }
}

extension Problem {
    init(_ refusal: Refusal) {
        switch refusal {
        case .bodyTooLarge(let limit):
            self.init(.bodyTooLarge, "the body is larger than \(limit) bytes", limit: limit)
        case .headersTooLarge(let limit):
            self.init(
                .headersTooLarge, "request line and headers are larger than \(limit) bytes", limit: limit)
        case .badPath: self.init(.invalidPath, refusal.description)
        case .badRequest(let detail): self.init(.invalidRequest, detail)
        case .timeout: self.init(.timeout, refusal.description)
        case .tooManyConnections, .overloaded:
            self.init(.overloaded, refusal.description + "; try again in a moment")
            headers.append(("retry-after", "1"))
        }
    }
}
