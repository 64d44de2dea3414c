/// What is known of a request once its headers have come.
package struct RequestHead: Sendable {
    /// As sent, known or not.
    package var method: String

    /// The decoded segments; `%2F` stays inside its segment, a trailing slash is an empty last one, and `/` is none.
    package var path: [String]

    /// The path as sent, still escaped, without the query.
    package var rawPath: String

    /// Decoded pairs in the order sent, `+` read as a space; a name without `=` has an empty value.
    package var query: [(name: String, value: String)]

    package var headers: Headers

    /// The peer's numeric address, without its port.
    package var remoteAddress: String

    /// `req_…`, unique to this request; the answer carries it as `request-id`.
    package var id: String

    package init(
        method: String, path: [String], rawPath: String, query: [(name: String, value: String)] = [],
        headers: Headers = [:], remoteAddress: String = "", id: String = "req_0"
    ) {
        self.method = method
        self.path = path
        self.rawPath = rawPath
        self.query = query
        self.headers = headers
        self.remoteAddress = remoteAddress
        self.id = id
    }

    /// The first value of that name in the query.
    package func query(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }
}

/// A request, its body in memory or still arriving, as the handler's policy asked.
package struct Request: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        case stream(BodyStream)
    }

    package var head: RequestHead
    package var body: Body

    package init(head: RequestHead, body: Body = .bytes([])) {
        self.head = head
        self.body = body
    }

    /// The body when it was collected, and nothing when it is a stream.
    package var bytes: [UInt8] {
        if case .bytes(let bytes) = body { bytes } else { [] }
    }
}
