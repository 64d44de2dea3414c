import Glibc
import System

/// What did not come about in time, or was refused, in words for whoever reads the test's log.
struct Disappointment: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Asks again and again, as other processes ring no bell here; throws when the bound is over.
func eventually(
    _ what: String, within bound: Duration = .seconds(60), every pause: Duration = .milliseconds(20),
    _ isSo: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + bound * Form.patience
    while try await !isSo() {
        guard ContinuousClock.now < end else {
            throw Disappointment("\(what): not within \(bound.seconds.text()) s")
        }
        try await Task.sleep(for: pause)
    }
}

/// As a check that throws, so that what the processes wrote is shown.
func demand(_ isSo: Bool, _ otherwise: @autoclosure () -> String) throws {
    if !isSo { throw Disappointment(otherwise()) }
}

/// As a check of how fast something is, or how small; of sanitized binaries that is not asked.
func demandPace(_ isSo: Bool, _ otherwise: @autoclosure () -> String) throws {
    try demand(isSo || Form.isSanitized, otherwise())
}

/// Runs what blocks on a thread of its own: the pool has two.
func offPool<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        detach { continuation.resume(with: Result { try work() }) }
    }
}

/// Runs it on a new thread.
func detach(_ work: @escaping @Sendable () -> Void) {
    do {
        _ = try Thread(named: "test", work)
    } catch {
        preconditionFailure("\(error)")
    }
}
