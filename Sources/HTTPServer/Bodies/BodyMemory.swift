import Synchronization

/// How many bytes of request bodies are in memory, of all requests together, and how many may be.
///
/// A lone request is always let in, however small the machine: its own limit bounds it.
package final class BodyMemory: Sendable {
    package let limit: Int
    private let used = Mutex(0)

    package init(limit: Int) {
        self.limit = limit
    }

    package var usedBytes: Int { used.withLock { $0 } }

    /// Whether a request that holds `held` bytes may hold so many.
    func hasRoom(for bytes: Int, held: Int = 0) -> Bool {
        used.withLock { Self.hasRoom($0, limit, for: bytes, held: held) }
    }

    /// Counts a request that held `held` bytes with so many from now on; false, and nothing changed, if there is no room.
    func change(from held: Int, to bytes: Int) -> Bool {
        used.withLock { used in
            guard bytes <= held || Self.hasRoom(used, limit, for: bytes, held: held) else { return false }
            used += bytes - held
            return true
        }
    }

    private static func hasRoom(_ used: Int, _ limit: Int, for bytes: Int, held: Int) -> Bool {
        let others = used - held
        return others == 0 || bytes <= limit - others
    }

    /// What one request holds of a body that it reads as a stream; given back with it.
    package final class Share: Sendable {
        private let memory: BodyMemory
        private let held = Mutex(0)

        package init(of memory: BodyMemory) {
            self.memory = memory
        }

        deinit { hold(0) }

        /// False if there is no room for so many bytes.
        @discardableResult
        package func hold(_ bytes: Int) -> Bool {
            held.withLock { held in
                guard memory.change(from: held, to: bytes) else { return false }
                held = bytes
                return true
            }
        }
    }
}
