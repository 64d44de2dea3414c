@preconcurrency import Dispatch
import Glibc
import Synchronization

/// Carries signal numbers from the handler, where hardly anything is allowed, to the streams, through a pipe.
///
/// DispatchSource has signal sources, but registers them at leisure: a signal that comes in between is lost, or
/// ends the process.
final class SignalRelay: Sendable {
    static let shared = SignalRelay()

    private struct Subscriber {
        let signals: [Int32]
        let continuation: AsyncStream<Int32>.Continuation
    }

    private let subscribers = Mutex<[Int: Subscriber]>([:])
    private let source: any DispatchSourceRead
    private let readEnd: Int32

    private init() {
        var ends: [Int32] = [-1, -1]
        let status = pipe(&ends)
        precondition(status == 0, "no file descriptor left for signals")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        readEnd = ends[0]
        signalPipe.store(ends[1], ordering: .releasing)
        source = DispatchSource.makeReadSource(
            fileDescriptor: ends[0], queue: DispatchQueue(label: "signals"))
        source.setEventHandler { [unowned self] in forward() }
        source.resume()
    }

    func subscribe(_ continuation: AsyncStream<Int32>.Continuation, to signals: [Int32]) {
        let id = subscribers.withLock { subscribers in
            let id = (subscribers.keys.max() ?? 0) + 1
            subscribers[id] = Subscriber(signals: signals, continuation: continuation)
            return id
        }
        continuation.onTermination = { [self] _ in
            subscribers.withLock { _ = $0.removeValue(forKey: id) }
        }
        for number in signals { catchSignal(number) }
    }

    private func catchSignal(_ number: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = relaySignal
        // Calls in progress go on instead of failing with EINTR.
        action.sa_flags = SA_RESTART
        sigaction(number, &action, nil)
    }

    private func forward() {
        var numbers = [UInt8](repeating: 0, count: 64)
        let count = read(readEnd, &numbers, numbers.count)
        guard count > 0 else { return }
        let all = subscribers.withLock { Array($0.values) }
        for number in numbers.prefix(count).map(Int32.init) {
            for subscriber in all where subscriber.signals.contains(number) {
                subscriber.continuation.yield(number)
            }
        }
    }
}

/// Where the handler writes; set before the first handler is installed.
private let signalPipe = Atomic<Int32>(-1)

/// Does only what signal-safety(7) allows, and leaves errno as the interrupted code had it.
private func relaySignal(_ number: Int32) {
    let interrupted = errno
    var byte = UInt8(truncatingIfNeeded: number)
    // A full pipe refuses the byte; by then enough signals are waiting to be heard.
    _ = write(signalPipe.load(ordering: .acquiring), &byte, 1)
    errno = interrupted
}
