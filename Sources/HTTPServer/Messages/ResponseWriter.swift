/// Where a streaming answer is written, at the pace at which the client reads.
package struct ResponseWriter: Sendable {
    let buffer: OutputBuffer

    /// Hands over bytes, which are sent at once, and waits while too many are unsent.
    ///
    /// Throws `HTTPServerError.hungUp` when the client is gone, and `CancellationError` when the waiting task is
    /// cancelled.
    package func write(_ bytes: [UInt8]) async throws {
        try await buffer.write(bytes)
    }

    /// The bytes of a text.
    package func write(_ text: String) async throws {
        try await buffer.write(Array(text.utf8))
    }

    /// Runs a streaming body to its end and returns what it wrote: for trying a handler without a socket.
    package static func collect(
        _ produce: @Sendable (ResponseWriter) async throws -> Void
    ) async throws -> [UInt8] {
        let buffer = OutputBuffer(limit: .max, wake: {})
        try await produce(ResponseWriter(buffer: buffer))
        return buffer.unsent
    }
}
