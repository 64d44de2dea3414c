import Glibc
import Synchronization
import System

/// A process of ours: its output goes to files, and its end is waited for by a thread.
///
/// It is signalled by its number only while it has not been waited for, so that no other process can be hit.
final class Child: Sendable {
    enum Exit: Equatable, CustomStringConvertible {
        case status(Int32)
        case signal(Int32)

        var description: String {
            switch self {
            case .status(let status): "status \(status)"
            case .signal(let signal): "signal \(signal)"
            }
        }
    }

    private struct State {
        var exit: Exit?
        var waiters: [Int: CheckedContinuation<Exit?, Never>] = [:]
        var lastWaiter = 0
    }

    let name: String
    let pid: Int32
    let outputPath: String
    let errorPath: String
    let startedAt = ContinuousClock.now
    private let state = Mutex(State())

    /// Starts the program; `folder` is where it runs and where its output goes.
    init(_ launch: Launch) throws {
        name = launch.name
        outputPath = "\(launch.outputs)/\(launch.name).out"
        errorPath = "\(launch.outputs)/\(launch.name).err"
        pid = try ChildReaper.run { [outputPath, errorPath] in
            try launch.spawn(output: outputPath, errors: errorPath)
        }
        detach { [self] in reap() }
    }

    var isRunning: Bool { state.withLock { $0.exit == nil } }

    func signal(_ number: Int32) {
        state.withLock { state in
            if state.exit == nil { _ = Glibc.kill(pid, number) }
        }
    }

    /// Kills it and waits until it is gone.
    func killAndWait() async {
        signal(SIGKILL)
        _ = await exit(within: .seconds(30))
    }

    /// Nil where it still runs when the time is up.
    func exit(within bound: Duration) async -> Exit? {
        let id = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let alarm = Task {
            try await Task.sleep(for: bound * Form.patience)
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: nil)
        }
        defer { alarm.cancel() }
        return await withCheckedContinuation { continuation in
            let exit = state.withLock { state in
                if state.exit == nil { state.waiters[id] = continuation }
                return state.exit
            }
            if let exit { continuation.resume(returning: exit) }
        }
    }

    private func reap() {
        var facts = siginfo_t()
        while waitid(P_PID, id_t(pid), &facts, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        let (exit, waiters) = state.withLock { state in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let exit: Exit = status & 0x7F == 0 ? .status(status >> 8 & 0xFF) : .signal(status & 0x7F)
            let waiters = state.waiters.values
            state.exit = exit
            state.waiters = [:]
            return (exit, Array(waiters))
        }
        for waiter in waiters { waiter.resume(returning: exit) }
    }
}

/// What it wrote.
extension Child {
    var output: String { text(outputPath) }
    var errors: String { text(errorPath) }

    private func text(_ path: String) -> String {
        String(decoding: (try? readFile(path, limit: 64 << 20)) ?? [], as: UTF8.self)
    }

    /// For a test's log: its state, and the end of what it said.
    var epitaph: String {
        let standing = state.withLock { $0.exit }.map { "ended with \($0)" } ?? "runs"
        let tail = (errors.isEmpty ? output : errors).suffix(3000)
        return "--- \(name) (\(pid)) \(standing)\n\(tail)"
    }
}
