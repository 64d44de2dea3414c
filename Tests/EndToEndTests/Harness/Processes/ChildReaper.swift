import Dispatch
import Glibc
import Synchronization

/// Has children die with this process: a test run that is killed leaves none behind.
///
/// Only the child itself can ask for that, so setpriv(1) does, and becomes it. And the parent whose death counts is the
/// thread that started it (PR_SET_PDEATHSIG of prctl(2)): one thread, which never ends, starts them all.
enum ChildReaper {
    /// What a program is to be started through; nothing where the system has no setpriv.
    static let command = access(setpriv, X_OK) == 0 ? [setpriv, "--pdeathsig", "KILL", "--"] : []

    private static let setpriv = "/usr/bin/setpriv"
    private static let starter = Starter()

    /// Runs it on that thread, and waits for it.
    static func run<T: Sendable>(_ start: @escaping @Sendable () throws -> T) throws -> T {
        let outcome = Outcome<T>()
        starter.put { outcome.set(Result { try start() }) }
        return try outcome.wait()
    }
}

private final class Starter: Sendable {
    private let work = Mutex<[@Sendable () -> Void]>([])
    private let bell = DispatchSemaphore(value: 0)

    init() {
        detach { [self] in
            while true {
                bell.wait()
                work.withLock { $0.removeFirst() }()
            }
        }
    }

    func put(_ entry: @escaping @Sendable () -> Void) {
        work.withLock { $0.append(entry) }
        bell.signal()
    }
}

private final class Outcome<T: Sendable>: Sendable {
    private let result = Mutex<Result<T, any Error>?>(nil)
    private let bell = DispatchSemaphore(value: 0)

    func set(_ result: Result<T, any Error>) {
        self.result.withLock { $0 = result }
        bell.signal()
    }

    func wait() throws -> T {
        bell.wait()
        guard let result = result.withLock({ $0 }) else { preconditionFailure("rung without a result") }
        return try result.get()
    }
}
