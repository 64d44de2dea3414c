import Jobs
import Telemetry

extension WorkerSession {
    /// Renews all open attempts in one call at every third of a lease; says that the worker lives when it is
    /// idle.
    func keepLeases() async {
        var lastHeard = store.now().moment
        var isOverdue = false
        while !Task.isCancelled {
            // After a failure soon again: more chances fit into what is left of the lease.
            await pause(isOverdue ? settings.lease / 10 : settings.lease / 3)
            let keys = inFlight.keys
            let now = store.now()
            let silent = now.moment.milliseconds - lastHeard.milliseconds
            guard !keys.isEmpty || silent >= Intervals.heartbeat else { continue }
            isOverdue = await !renew(keys)
            if !isOverdue { lastHeard = now.moment }
        }
    }

    private func renew(_ keys: [AttemptKey]) async -> Bool {
        do {
            let now = store.now()
            let lost = try await store.renew(worker, attempts: keys, lease: settings.lease)
            absence.ended(log)
            inFlight.renewed(keys.filter { !lost.contains($0) }, until: now.moment + settings.lease)
            giveUp(lost, .revoked)
            return true
        } catch {
            absence.failed(
                .error, "leases could not be renewed", error, log, ["attempts": .int(keys.count)])
            return false
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
                absence.failed(.warning, "revoked jobs could not be read", error, log)
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
