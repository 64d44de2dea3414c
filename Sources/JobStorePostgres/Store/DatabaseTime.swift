package import Jobs
import Synchronization
import System

/// Whose time a store goes by.
package enum TimeSource: Sendable {
    /// The database's: this machine's clock and calendar have no effect.
    case database
    /// One that is turned by hand.
    case given(any Clock)
}

/// The database's time, carried by this machine's monotonic clock from when it was last heard of.
///
/// What a transaction judges by is read in it, after its locks; this is for what is asked between two of them.
final class DatabaseTime: Sendable {
    /// Moments of the database's clock are of one epoch: its restart expires no lease.
    static let epoch: Int64 = 0

    private struct State {
        var heard: Int64 = 0
        var heardAt: Int64 = 0
    }

    private let source: TimeSource
    private let state = Mutex(State())

    init(_ source: TimeSource) {
        self.source = source
    }

    func now() -> Now {
        let (heard, heardAt) = state.withLock { ($0.heard, $0.heardAt) }
        let time =
            switch source {
            case .given(let clock): max(heard, clock.now().timestamp.milliseconds)
            case .database: heard.addingSaturated(max(0, monotonicMilliseconds() - heardAt))
            }
        return Now(database: time)
    }

    /// What the database said is the time, and behind which time it does not go back.
    func note(_ clock: Int64, floor: Int64) -> Now {
        let time =
            switch source {
            case .given(let given): max(floor, given.now().timestamp.milliseconds)
            case .database: max(floor, clock)
            }
        state.withLock { state in (state.heard, state.heardAt) = (time, monotonicMilliseconds()) }
        return Now(database: time)
    }
}

extension Now {
    fileprivate init(database milliseconds: Int64) {
        self.init(
            timestamp: Timestamp(milliseconds: milliseconds),
            moment: Moment(epoch: DatabaseTime.epoch, milliseconds: milliseconds))
    }
}
