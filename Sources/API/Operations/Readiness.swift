import Jobs
import Synchronization
import Telemetry

/// The store's word on itself.
///
/// `/ready` is open to everybody, and the question takes the write lock: so it is asked at most once a second and by one at a
/// time, and nobody waits for the answer for long.
final class Readiness: Sendable {
    private typealias Outcome = Result<StoreFacts, JobStoreError>

    private struct State {
        var known: (until: Moment, outcome: Outcome)?
        var asking: Task<Outcome, Never>?
        /// What the log said last of it; nil if all was well since.
        var said: JobStoreError?
    }

    private let store: any Reading
    private let log: Log
    private let state = Mutex(State())
    private let patience: Milliseconds
    private static let validity: Milliseconds = 1000

    init(store: any Reading, log: Log, patience: Milliseconds = 2000) {
        self.store = store
        self.log = log
        self.patience = patience
    }

    func facts(now: Now) async throws(JobStoreError) -> StoreFacts {
        let (known, asking) = state.withLock { state -> (Outcome?, Task<Outcome, Never>) in
            if let known = state.known, !known.until.hasPassed(at: now.moment) {
                return (known.outcome, Task { known.outcome })
            }
            let asking = state.asking ?? Task { await ask() }
            state.asking = asking
            return (nil, asking)
        }
        if let known { return try known.get() }
        let outcome = await value(of: asking) ?? .failure(slow)
        state.withLock { $0.known = (now.moment + Self.validity, outcome) }
        return try outcome.get()
    }

    private var slow: JobStoreError {
        JobStoreError(.locked, "no answer within \(patience) ms: \(store.standstill)")
    }

    private func ask() async -> Outcome {
        defer { state.withLock { $0.asking = nil } }
        do {
            let facts = try await store.checkReady()
            state.withLock { $0.said = nil }
            return .success(facts)
        } catch {
            let error = error as? JobStoreError ?? JobStoreError(.internal, "\(error)")
            let isNews = state.withLock { state in
                let isNews = state.said != error
                state.said = error
                return isNews
            }
            if isNews { log.warning("database not ready", ["error": "\(error)"]) }
            return .failure(error)
        }
    }

    /// Nil if there is none before the patience is over; the question goes on.
    private func value(of asking: Task<Outcome, Never>) async -> Outcome? {
        let (outcomes, continuation) = AsyncStream.makeStream(of: Outcome?.self)
        Task { continuation.yield(await asking.value) }
        let alarm = Task { [patience] in
            try await Task.sleep(for: .milliseconds(patience))
            continuation.yield(nil)
        }
        defer { alarm.cancel() }
        return await outcomes.first { _ in true } ?? nil
    }
}
