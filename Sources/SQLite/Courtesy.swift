import CSQLite

/// Lets the writers of other processes have their turn.
///
/// A writer that has more to do soon takes the lock again some microseconds after it gave it back, and whoever looks
/// for it every half millisecond seldom finds the gap: with transactions of 20 ms it would wait for a dozen of
/// them. So while other processes are seen to write, a writer leaves gaps that they cannot miss.
struct Courtesy {
    private var version = ""
    private var othersUntil: Int64 = 0

    private static let rememberedNanoseconds: Int64 = 1_000_000_000
    /// A little longer than the waiting processes sleep.
    private static let gapNanoseconds = 650_000

    /// To be called after each transaction: who has nothing to do loses nothing by it.
    mutating func pause(_ connection: Connection, _ counters: WriterCounters) {
        let now = csqlite_monotonic_ns()
        if let current = try? connection.dataVersion(), current != version {
            if !version.isEmpty { othersUntil = now + Self.rememberedNanoseconds }
            version = current
        }
        guard now < othersUntil else { return }
        counters.countPause()
        csqlite_sleep(Self.gapNanoseconds)
    }
}
