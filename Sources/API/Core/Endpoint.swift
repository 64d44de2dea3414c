import HTTPServer

/// One method of one path: what body it takes, and what it does.
struct Endpoint: Sendable {
    typealias Action = @Sendable (API, Call) async throws -> Response

    enum BodyRule: Sendable {
        /// A small object, or nothing.
        case form
        /// One job or a list of them.
        case jobs
        /// One request for the provider.
        case job
        case stream
    }

    let method: String
    let pattern: [String]
    let body: BodyRule
    /// How its errors are written.
    let errorFormat: ErrorFormat
    /// Whether it never computes for long.
    let isBrief: Bool
    let action: Action

    init(
        _ method: String, _ path: String, body: BodyRule = .form, errors: ErrorFormat = .renga,
        isBrief: Bool = false, _ action: @escaping Action
    ) {
        self.method = method
        self.pattern = path.split(separator: "/").map(String.init)
        self.body = body
        errorFormat = errors
        self.isBrief = isBrief
        self.action = action
    }

    /// What the path has for `{}`; a `{…}` at its end takes all that is left, slashes included.
    func match(_ path: [String]) -> [String]? {
        var found: [String] = []
        for (index, segment) in pattern.enumerated() {
            guard index < path.count else { return nil }
            if segment == "{…}" {
                let rest = path[index...].joined(separator: "/")
                return rest.isEmpty ? nil : found + [rest]
            }
            if segment == "{}", !path[index].isEmpty {
                found.append(path[index])
            } else if segment != path[index] {
                return nil
            }
        }
        return path.count == pattern.count ? found : nil
    }
}

extension Endpoint {
    enum Found {
        case found(Endpoint, [String])
        /// The path is known, and takes these methods.
        case otherMethods([String])
        case nothing
    }

    /// HEAD is answered as GET; the server leaves the body out.
    static func find(_ head: RequestHead) -> Found {
        let method = head.method == "HEAD" ? "GET" : head.method
        var others: [String] = []
        var pattern: [String]?
        for endpoint in all where pattern == nil || pattern == endpoint.pattern {
            guard let parameters = endpoint.match(head.path) else { continue }
            pattern = endpoint.pattern
            if endpoint.method == method { return .found(endpoint, parameters) }
            others.append(contentsOf: endpoint.method == "GET" ? ["GET", "HEAD"] : [endpoint.method])
        }
        return others.isEmpty ? .nothing : .otherMethods(others)
    }

}

extension Endpoint.Found {
    /// The endpoint and its parameters, or what to say if there is none.
    func demand(_ head: RequestHead) throws(Problem) -> (Endpoint, [String]) {
        switch self {
        case .found(let endpoint, let parameters):
            return (endpoint, parameters)
        case .otherMethods(let methods):
            let allowed = methods.joined(separator: ", ")
            throw Problem(.methodNotAllowed, "this path takes \(allowed), not \(head.method.prefix(20))")
                .withHeader("allow", allowed)
        case .nothing:
            throw Problem(.notFound, UnservedPath(head.path).detail(head.rawPath))
        }
    }
}
