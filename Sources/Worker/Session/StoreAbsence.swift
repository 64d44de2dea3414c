import Jobs
import Synchronization
import Telemetry

/// Says in the log that the store cannot be used when it begins, and when it is over: all duties of a worker fail meanwhile, again
/// and again, and one line a failure would hide everything else.
final class StoreAbsence: Sendable {
    private let since = Mutex<ContinuousClock.Instant?>(nil)

    /// One duty failed; how it says so if the store is there.
    func failed(
        _ level: Log.Level, _ message: StaticString, _ error: any Error, _ log: Log,
        _ fields: Log.Fields = [:]
    ) {
        guard let storeError = error as? JobStoreError, storeError.mayPass || storeError.code == .schemaTooNew
        else {
            return log.with(fields).write(level, message) { ["error": "\(error)"] }
        }
        let isFirst = since.withLock { since in
            defer { since = since ?? .now }
            return since == nil
        }
        if isFirst {
            log.error("the database cannot be used, everything waits for it", ["error": "\(error)"])
        }
        log.with(fields).debug(message, ["error": "\(error)"])
    }

    /// Something was written.
    func ended(_ log: Log) {
        guard let began = since.withLock({ $0.take() }) else { return }
        let seconds = (ContinuousClock.now - began).components.seconds
        log.notice("the database can be used again", ["seconds": .int(Int(seconds))])
    }
}
