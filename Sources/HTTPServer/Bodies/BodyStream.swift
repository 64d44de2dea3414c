/// A body as it arrives: the client is read only as fast as this is consumed, and by one consumer.
///
/// Iterating throws `HTTPServerError.uploadCut` after the last bytes that came when the upload ended early. The
/// handler's task is not cancelled then, so that it can keep what it has.
package struct BodyStream: AsyncSequence, Sendable {
    package typealias Element = [UInt8]

    let buffer: BodyBuffer

    init(buffer: BodyBuffer) {
        self.buffer = buffer
    }

    /// A body that has already come, whole or cut: for trying a handler without a socket.
    package init(_ bytes: [UInt8], isCut: Bool = false) {
        self.buffer = BodyBuffer(limit: .max, wake: {})
        bytes.withUnsafeBytes { _ = buffer.offer($0) }
        buffer.end(isCut: isCut)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let buffer: BodyBuffer

        package mutating func next() async throws -> [UInt8]? {
            try await buffer.next()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(buffer: buffer)
    }
}
