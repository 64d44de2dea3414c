/// Why there is no whole answer.
package struct HTTPClientError: Error, Sendable, CustomStringConvertible {
    package let code: Code
    /// For a log line: may name the host, never holds headers or bodies.
    package let message: String
    /// False only if surely no byte of the request reached the server, so that repeating it cannot pay twice.
    package let maySent: Bool
    /// An answer of an error status to `send` as far as it had come: its head was whole.
    package internal(set) var beginning: HTTPResponse?

    package init(code: Code, message: String, maySent: Bool) {
        self.code = code
        self.message = message
        self.maySent = maySent
    }

    package enum Code: String, Sendable, CaseIterable {
        case resolve
        /// Refused or unreachable, at the server or the proxy before it.
        case connect
        case connectTimeout
        case writeTimeout
        case idleTimeout
        case callTimeout
        /// The connection broke before the answer or within it, or its chunks became unreadable.
        case reset
        /// The connection ended in order, but before the end of the answer.
        case truncated
        case tls
        /// More body than `maxResponseBytes`.
        case tooLarge
        /// By the task's cancellation, by dropping the stream, or by `shutdown`.
        case cancelled
        /// An answer that is not HTTP, or a request that cannot be written as HTTP.
        case protocolError
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
