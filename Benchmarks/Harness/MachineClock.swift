import Jobs
import System

/// The clocks of this machine, or of one whose calendar is behind.
struct MachineClock: Clock {
    private let clock = SystemClock()
    private let lag: Milliseconds

    init(behind lag: Milliseconds = 0) { self.lag = lag }

    func now() -> Now {
        Now(
            timestamp: Timestamp(milliseconds: clock.timestampMilliseconds() - lag),
            moment: Moment(epoch: clock.bootID, milliseconds: clock.uptimeMilliseconds()))
    }
}
