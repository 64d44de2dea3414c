package import Jobs
import Synchronization

/// A clock turned by hand; stores that share it are as processes of one machine.
package final class HandClock: Jobs.Clock {
    private let current: Mutex<Now>

    package init(
        _ now: Now = Now(
            timestamp: Timestamp(milliseconds: 1_790_000_000_000),
            moment: Moment(epoch: 7, milliseconds: 1_000_000))
    ) {
        current = Mutex(now)
    }

    package func now() -> Now { time }

    package var time: Now {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    package func advance(_ duration: Milliseconds) {
        current.withLock { now in
            now.timestamp = now.timestamp + duration
            now.moment = now.moment + duration
        }
    }

    /// Another kernel: calendar time goes on, the boot clock starts again.
    package func reboot() {
        current.withLock { $0.moment = Moment(epoch: $0.moment.epoch + 1, milliseconds: 5_000) }
    }
}
