import CLinux
import Glibc
import Synchronization

/// A thread of our own, for work that blocks or polls: the cooperative pool has as many as there are cores.
///
/// It runs until its closure returns, whether or not this object is kept. It takes no signals: they go to the threads that
/// wait for them, and SIGPIPE, which OpenSSL's writes may raise, goes nowhere.
package final class Thread: Sendable {
    private struct Ending {
        var isOver = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// Address space only: memory is taken as it is used.
    package static let stackBytes = 8 << 20

    private let ending = Mutex(Ending())

    /// Starts it; throws if the system has no thread left.
    ///
    /// Of its name the kernel keeps 15 bytes.
    package init(named name: String, _ body: sending @escaping () -> Void) throws(SystemError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, Self.stackBytes)
        // A new thread inherits the mask.
        var blocked = Self.blockedSignals
        var before = sigset_t()
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let start = Unmanaged.passRetained(ThreadStart(thread: self, name: name, body: body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, start.toOpaque())
        guard status == 0 else {
            start.release()
            throw SystemError("start a thread", code: status)
        }
    }

    /// Returns when its closure has; at once if that was before.
    package func end() async {
        await withCheckedContinuation { continuation in
            let isOver = ending.withLock { ending in
                if !ending.isOver { ending.waiters.append(continuation) }
                return ending.isOver
            }
            if isOver { continuation.resume() }
        }
    }

    fileprivate func hasEnded() {
        let waiters = ending.withLock { ending in
            ending.isOver = true
            defer { ending.waiters = [] }
            return ending.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// All but the faults of the thread itself: blocked, they would kill the process without a trace.
    private static var blockedSignals: sigset_t {
        var signals = sigset_t()
        sigfillset(&signals)
        for fault in [SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGTRAP, SIGABRT] { sigdelset(&signals, fault) }
        return signals
    }
}

/// What a new thread is handed.
private final class ThreadStart {
    private let thread: Thread
    private let name: String
    private var body: (() -> Void)?

    init(thread: Thread, name: String, body: @escaping () -> Void) {
        self.thread = thread
        self.name = name
        self.body = body
    }

    func run() {
        clinux_name_thread(name)
        body?()
        // Whoever waits for the end may rely on it that what the closure held is gone.
        body = nil
        thread.hasEnded()
    }
}
