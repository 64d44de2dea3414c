import CrashPoint
import Jobs
import Telemetry

extension WorkerSession {
    /// Writes off what lost leases left behind; every worker does it, so that one survivor is enough.
    func reap() async {
        var backoff = Backoff(cap: 30_000)
        // Soon after the start: workers that die young, one after the other, must still write off what they left.
        await pause(.random(in: 0...20))
        while !Task.isCancelled {
            do {
                while try await reapOnce(), !Task.isCancelled {}
                backoff.reset()
                // Replicas that started together must not reap together for ever.
                await pause(Intervals.reap + Milliseconds.random(in: -100...100))
            } catch {
                absence.failed(.warning, "reaping failed", error, log)
                await pause(backoff.next())
            }
        }
    }

    private func reapOnce() async throws -> Bool {
        let reaping = try await store.reap()
        if reaping.writtenOff > 0 {
            log.notice("lost leases written off", ["attempts": .int(reaping.writtenOff)])
        }
        return reaping.more
    }

    /// Deletes finished jobs and answers that are kept no longer.
    func prune() async {
        guard let retention = settings.retention else { return }
        while !Task.isCancelled {
            // What is kept for seconds goes after seconds.
            await pause(min(Intervals.prune, retention))
            do {
                while !Task.isCancelled {
                    let pruning = try await store.prune(olderThan: retention)
                    if pruning.jobs > 0 { crashPoint("prune-portion") }
                    guard pruning.more else { break }
                }
            } catch {
                absence.failed(.warning, "pruning failed", error, log)
            }
        }
    }
}
