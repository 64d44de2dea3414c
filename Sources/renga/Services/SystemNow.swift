import Jobs
import Simulator
import System

/// The machine's clocks in the words of the rules.
struct SystemNow: Clock {
    private let clock = SystemClock()

    func now() -> Now {
        Now(
            timestamp: Timestamp(milliseconds: clock.timestampMilliseconds()),
            moment: Moment(epoch: clock.bootID, milliseconds: clock.uptimeMilliseconds()))
    }

    /// The same for the simulator.
    var forSimulator: SimulatorClock {
        SimulatorClock(
            timestamp: { [clock] in clock.timestampMilliseconds() },
            uptime: { [clock] in clock.uptimeMilliseconds() })
    }
}
