package import Jobs
import System

/// The clocks of this machine.
package struct MachineClock: Jobs.Clock {
    private let clock = SystemClock()

    package init() {}

    package func now() -> Now {
        Now(
            timestamp: Timestamp(milliseconds: clock.timestampMilliseconds()),
            moment: Moment(epoch: clock.bootID, milliseconds: clock.uptimeMilliseconds()))
    }
}
