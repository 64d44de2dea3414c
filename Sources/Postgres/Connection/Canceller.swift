import CPQ
import Synchronization
import System

/// What another thread may hold of a connection: it asks the server to stop what it runs.
package final class Canceller: Sendable {
    // libpq lets any thread use it, one at a time: `turn` sees to that.
    nonisolated(unsafe) private let handle: OpaquePointer
    private let turn = Mutex(())
    // Set once for all (see Library).
    nonisolated(unsafe) private let functions: Library.Functions

    init?(of connection: Connection) {
        functions = connection.functions
        guard let handle = functions.pointee.get_cancel(connection.handle) else { return nil }
        self.handle = handle
    }

    deinit {
        functions.pointee.free_cancel(handle)
    }

    /// Blocks the thread while it connects; true says that the server was asked, not that it stopped anything.
    ///
    /// What is stopped in a commit may stand: the statement's own thread is told, by an error or by a doubt.
    @discardableResult
    package func cancel() -> Bool {
        turn.withLock { _ in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { words in
                guard let start = words.baseAddress else { return false }
                return functions.pointee.cancel(handle, start, Int32(words.count)) == 1
            }
        }
    }
}

extension Connection {
    /// For other threads; nil if there is no connection any more.
    package func canceller() -> Canceller? { Canceller(of: self) }

    /// Before a connection is dropped in the middle of an answer, of which the server would know only when it writes.
    func stopServer() {
        guard let canceller = canceller() else { return }
        // Without a thread left the server finds out by itself.
        _ = try? Thread(named: "postgres-cancel") { canceller.cancel() }
    }
}
