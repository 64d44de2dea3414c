import JobStoreSQLite
import Jobs
import Synchronization

/// The machine's clocks, corrected to the calendar that the processes of the database agree on.
///
/// A calendar that jumps is seen at the next look, without the database: until it is believed, or is right again, this
/// process goes by the one that is remembered, which the boot clock carries on.
final class AgreedClock: Clock {
    private let own = SystemNow()
    private let agreed = Mutex<AgreedCalendar?>(nil)
    let patience: Milliseconds

    init(patience: Milliseconds) {
        self.patience = patience
    }

    func now() -> Now {
        let now = own.now().bounded
        // Without patience whatever the machine says counts.
        guard patience > 0 else { return now }
        return agreed.withLock { $0 }?.now(own: now) ?? now
    }

    /// Writes this machine's clocks to the database, and reads what counts.
    func attest(_ store: SQLiteJobStore) async throws {
        let known = try await store.attest(own.now(), patience: patience)
        agreed.withLock { $0 = known }
    }
}
