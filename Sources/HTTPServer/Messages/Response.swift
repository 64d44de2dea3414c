/// An answer, whole or produced while it is sent.
package struct Response: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])

        /// Runs in the handler's task after `respond` has returned.
        ///
        /// What it throws breaks the connection off without a proper end, so that the client sees a truncated
        /// answer. It does not run if no body is sent: for HEAD, 204 and 304.
        case stream(@Sendable (ResponseWriter) async throws -> Void)
    }

    /// How an answer fails to arrive, for handlers that play a service which fails.
    package enum Breakage: Sendable, Equatable {
        /// The connection is reset instead of an answer.
        case reset

        /// The headers announce so many bytes, and the connection closes after the fewer ones of the body.
        case short(of: Int)
    }

    /// 200 to 599; anything else is sent as 500.
    package var status: Int

    /// `content-length`, `transfer-encoding`, `connection` and `date` are the server's business and left out.
    package var headers: Headers

    package var body: Body

    /// Nil for an answer that shall arrive.
    package var breakage: Breakage?

    package init(status: Int = 200, headers: Headers = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A whole answer of one media type.
    package init(status: Int = 200, contentType: String, bytes: [UInt8]) {
        self.init(status: status, headers: ["content-type": contentType], body: .bytes(bytes))
    }

    /// A whole answer of UTF-8 text.
    package init(status: Int = 200, text: String) {
        self.init(status: status, contentType: "text/plain; charset=utf-8", bytes: Array(text.utf8))
    }

    var hasBody: Bool { status != 204 && status != 304 }
}
