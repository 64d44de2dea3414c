import System

/// An answer whose head has come and whose body is still on its way.
///
/// Dropping it (and its body) before the end aborts the transfer.
package struct HTTPStream: Sendable {
    package let status: Int
    package let headers: HTTPHeaders
    package let body: HTTPBody
}

/// The pieces of a body as they come, decompressed; a body that is cut short ends with an error.
///
/// It is for one reader, once. At most some 256 KiB wait unread, then the transfer is paused until the
/// reader catches up. Cancelling the reading task aborts the transfer.
package struct HTTPBody: AsyncSequence, Sendable {
    let lifeline: Lifeline

    package struct AsyncIterator: AsyncIteratorProtocol {
        let lifeline: Lifeline

        package mutating func next() async throws -> [UInt8]? {
            try await lifeline.next()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(lifeline: lifeline)
    }

    /// The reader has all it wants: what still comes is worth reading for a moment only, so that the connection is kept.
    package func conclude() {
        lifeline.conclude()
    }
}

/// Held by everyone who may still read a stream; when the last one is gone, so is the transfer.
final class Lifeline: Sendable {
    private let exchange: Exchange
    private let buffer: StreamBuffer
    private let mailbox: Mailbox<LoopCommand>

    init(exchange: Exchange, buffer: StreamBuffer, mailbox: Mailbox<LoopCommand>) {
        self.exchange = exchange
        self.buffer = buffer
        self.mailbox = mailbox
    }

    deinit {
        exchange.cancel(through: mailbox)
    }

    func conclude() {
        mailbox.post(.conclude(exchange))
    }

    func head() async throws -> ResponseHead {
        try await withTaskCancellationHandler {
            try await buffer.head()
        } onCancel: {
            exchange.cancel(through: mailbox)
        }
    }

    func next() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await buffer.next { mailbox.post(.resume(exchange)) }
        } onCancel: {
            exchange.cancel(through: mailbox)
        }
    }
}
