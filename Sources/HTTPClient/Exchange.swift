import Synchronization
import System

/// One call as its caller and the event loop both know it.
final class Exchange: Sendable {
    let request: HTTPRequest
    private let cancellation = Atomic(false)

    init(_ request: HTTPRequest) {
        self.request = request
    }

    var isCancelled: Bool { cancellation.load(ordering: .acquiring) }

    func cancel(through mailbox: Mailbox<LoopCommand>) {
        // First the mark, then the command: that may overtake the start command, which looks for the mark.
        cancellation.store(true, ordering: .releasing)
        mailbox.post(.cancel(self))
    }
}

/// Where the answer goes; each is ended exactly once.
enum Delivery: Sendable {
    case whole(CheckedContinuation<HTTPResponse, any Error>)
    case stream(StreamBuffer)

    func fail(_ error: HTTPClientError) {
        switch self {
        case .whole(let continuation): continuation.resume(throwing: error)
        case .stream(let buffer): buffer.end(error)
        }
    }
}
