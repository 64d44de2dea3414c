import Jobs
import Synchronization
import Telemetry

/// The store's word on itself, asked for at most once a second: `/health` and `/ready` are open to everybody, and the
/// question takes the write lock.
final class Readiness: Sendable {
    private typealias Outcome = Result<StoreFacts, JobStoreError>

    private let store: any JobStore
    private let log: Log
    private let last = Mutex<(until: Moment, outcome: Outcome)?>(nil)
    private static let validity: Milliseconds = 1000

    init(store: any JobStore, log: Log) {
        self.store = store
        self.log = log
    }

    func facts(now: Now) async throws(JobStoreError) -> StoreFacts {
        let known = last.withLock { $0 }
        if let known, !known.until.hasPassed(at: now.moment) { return try known.outcome.get() }
        let outcome = await ask()
        last.withLock { $0 = (now.moment + Self.validity, outcome) }
        return try outcome.get()
    }

    private func ask() async -> Outcome {
        do {
            return .success(try await store.checkReady())
        } catch {
            log.warning("database not ready", ["error": "\(error)"])
            return .failure(error as? JobStoreError ?? JobStoreError(.internal, "\(error)"))
        }
    }
}
