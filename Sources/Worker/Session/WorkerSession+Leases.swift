import Jobs
import Telemetry

extension WorkerSession {
    /// Renews all open attempts in one call at every third of a lease; says that the worker lives when it is
    /// idle.
    func keepLeases() async {
        var lastHeard = store.now().moment
        while !Task.isCancelled {
            await pause(settings.lease / 3)
            let keys = inFlight.keys
            let now = store.now()
            let silent = now.moment.milliseconds - lastHeard.milliseconds
            guard !keys.isEmpty || silent >= Intervals.heartbeat else { continue }
            await renew(keys)
            lastHeard = now.moment
        }
    }

    /// Tries again soon after a failure: two more chances fit into what is left of the lease.
    private func renew(_ keys: [AttemptKey]) async {
        for _ in 0..<3 where !Task.isCancelled {
            do {
                let now = store.now()
                let lost = try await store.renew(worker, attempts: keys, lease: settings.lease)
                inFlight.renewed(keys.filter { !lost.contains($0) }, until: now.moment + settings.lease)
                return giveUp(lost, .revoked)
            } catch {
                log.error("leases could not be renewed", ["error": "\(error)", "attempts": .int(keys.count)])
                await pause(settings.lease / 10)
            }
        }
    }

    /// Aborts calls at their deadline, and at their lease's end if no renewal got through.
    func giveUpOverdue() async {
        while !Task.isCancelled {
            let limit = settings.lease / 3
            let soonest = inFlight.untilOverdue(at: store.now()) ?? limit
            await overdueSignal.wait(atMost: max(1, min(limit, soonest)))
            for (key, ending) in inFlight.overdue(at: store.now()) { giveUp([key], ending) }
        }
    }

    /// Aborts the calls of jobs that were cancelled or taken away.
    func giveUpRevoked() async {
        while !Task.isCancelled {
            await revocationSignal.wait(atMost: Intervals.poll)
            guard inFlight.count > 0 else { continue }
            do {
                giveUp(try await store.revoked(worker), .revoked)
            } catch {
                log.warning("revoked jobs could not be read", ["error": "\(error)"])
            }
            await pause(Intervals.betweenRevocationChecks)
        }
    }

    private func giveUp(_ keys: [AttemptKey], _ ending: AbortReason) {
        for key in inFlight.abort(keys, ending) {
            log.of(key).notice("call aborted", ["reason": "\(ending.rawValue)"])
        }
    }
}
