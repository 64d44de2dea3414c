import Jobs
import Synchronization

/// The machine's clocks, corrected to the calendar that the processes of the database agree on.
///
/// A calendar that jumps is seen at the next look, without the database: until it is believed, or is right again, this
/// process goes by the one that is remembered, which the boot clock carries on.
final class StoreClock: Clock {
    private let machine: any Clock
    /// How long a calendar that differs must be claimed before it counts; without patience whatever the machine says counts.
    let patience: Milliseconds
    private let agreed = Mutex<AgreedCalendar?>(nil)

    init(_ machine: any Clock, patience: Milliseconds) {
        self.machine = machine
        self.patience = patience
    }

    func now() -> Now {
        let own = own()
        guard patience > 0 else { return own }
        return agreed.withLock { $0 }?.now(own: own) ?? own
    }

    /// What the machine itself says.
    func own() -> Now { machine.now().bounded }

    func goBy(_ calendar: AgreedCalendar) {
        agreed.withLock { $0 = calendar }
    }
}
