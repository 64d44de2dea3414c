import Jobs
import Synchronization

/// Up to when several reads of a standby have everything: the earliest of their times.
final class Oldest: Sendable {
    private let state = Mutex<Timestamp?>(nil)

    var time: Timestamp? { state.withLock { $0 } }

    func note(_ time: Timestamp?) {
        guard let time else { return }
        state.withLock { state in state = state.map { min($0, time) } ?? time }
    }
}
