/// What answers requests.
///
/// `receive` and `refuse` run on the server's thread, which serves every connection: they must neither block nor
/// compute for long.
package protocol Handler: Sendable {
    /// What to do with a request whose headers have come.
    func receive(_ head: RequestHead) -> Reception

    /// The shape of an answer that the server decides on by itself.
    ///
    /// `head` is nil when not even the headers have come. A streaming answer is sent as an empty one.
    func refuse(_ refusal: Refusal, head: RequestHead?) -> Response
}

/// What a handler makes of a request's head: it carries on what was found out there.
package struct Reception: Sendable {
    /// Where the body goes.
    package var body: BodyPolicy

    /// Whether the answer goes on on the server's thread after each wait, which saves a change of threads: for those that
    /// never compute for long.
    package var isBrief: Bool

    /// The answer to the request; its task is cancelled when the client hangs up.
    ///
    /// For collected bodies up to `inlineBodyLimit` it runs on the server's thread until its first suspension, so
    /// the hop to another thread is saved; what takes long belongs behind an await. When it gets a stream it may
    /// answer at any time, but its answer is sent only once the upload has ended.
    package var respond: @Sendable (Request) async -> Response

    package init(
        body: BodyPolicy, isBrief: Bool = false, respond: @escaping @Sendable (Request) async -> Response
    ) {
        self.body = body
        self.isBrief = isBrief
        self.respond = respond
    }
}

/// A handler that looks at the head for the body's sake alone.
package protocol PlainHandler: Handler {
    func policy(for head: RequestHead) -> BodyPolicy
    func respond(to request: Request) async -> Response
}

extension PlainHandler {
    package func receive(_ head: RequestHead) -> Reception {
        Reception(body: policy(for: head)) { await respond(to: $0) }
    }
}

extension Handler {
    package func refuse(_ refusal: Refusal, head: RequestHead?) -> Response {
        Response(status: refusal.status, text: "\(refusal)\n")
    }
}

/// Where the bytes of a request's body go.
package enum BodyPolicy: Sendable, Equatable {
    /// Into memory, up to that many bytes; more is refused with `Refusal.bodyTooLarge`.
    case collect(limit: Int)

    /// To the handler while they arrive, as fast as it takes them.
    case stream
}

/// Why the server answers a request without asking the handler for more than the shape of the answer.
package enum Refusal: Sendable, Equatable, CustomStringConvertible {
    case bodyTooLarge(limit: Int)
    case headersTooLarge(limit: Int)
    case badPath
    case badRequest(String)
    case timeout
    case tooManyConnections

    /// The bodies held in memory for all requests together have reached their limit.
    case overloaded

    /// The status that fits.
    package var status: Int {
        switch self {
        case .bodyTooLarge: 413
        case .headersTooLarge: 431
        case .badPath, .badRequest: 400
        case .timeout: 408
        case .tooManyConnections, .overloaded: 503
        }
    }

    package var description: String {
        switch self {
        case .bodyTooLarge(let limit): "the body is larger than \(limit) bytes"
        case .headersTooLarge(let limit): "the headers are larger than \(limit) bytes"
        case .badPath: "the path has an invalid escape, NUL or invalid UTF-8"
        case .badRequest(let detail): detail
        case .timeout: "the request did not arrive in time"
        case .tooManyConnections: "too many connections"
        case .overloaded: "too many request bodies at once"
        }
    }
}
