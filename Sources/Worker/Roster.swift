import Jobs
import Synchronization

/// Why the worker gave a call up.
enum Ending: String, Sendable {
    case deadlinePassed = "deadline passed"
    /// The store says the attempt is another's, or its job was cancelled.
    case revoked
    /// No renewal got through: another worker may have the job by now.
    case leaseEnded = "lease ended"
    case drained
    /// The worker stops at once and hands nothing back.
    case stopped
}

/// The open attempts of this worker: what fills its slots, and the calls that can be aborted.
///
/// An attempt is listed from its claim until its settlement is on disk, so it is renewed and counted all that
/// time; a call can be aborted only while it runs.
final class Roster: Sendable {
    private struct Entry {
        var leaseUntil: Moment
        let deadline: Timestamp?
        let alone: Bool
        /// Cancelled where its call is given up.
        var task: Task<Void, Never>?
        var ending: Ending?
        var settling = false
    }

    private let entries = Mutex<[AttemptKey: Entry]>([:])

    var count: Int { entries.withLock(\.count) }
    var keys: [AttemptKey] { entries.withLock { Array($0.keys) } }
    var holdsLoner: Bool { entries.withLock { $0.values.contains(where: \.alone) } }

    func open(_ attempt: ClaimedAttempt, ending: Ending? = nil) {
        entries.withLock {
            $0[attempt.key] = Entry(
                leaseUntil: attempt.leaseUntil, deadline: attempt.deadline, alone: attempt.alone,
                ending: ending)
        }
    }

    func close(_ key: AttemptKey) {
        entries.withLock { $0[key] = nil }
    }

    /// Whether the attempt has not been ended before its call.
    func mayCall(_ key: AttemptKey) -> Bool {
        entries.withLock { entries in entries[key].map { $0.ending == nil } ?? false }
    }

    /// Says in which task the attempt runs, as soon as its beginner knows.
    func note(_ task: Task<Void, Never>, of key: AttemptKey) {
        let isEnded = entries.withLock { entries in
            guard let entry = entries[key], !entry.settling else { return false }
            entries[key]?.task = task
            return entry.ending != nil
        }
        if isEnded { task.cancel() }
    }

    /// Says that the call is over, so that nothing aborts it any more; returns why it was aborted, if it was.
    func finishCall(_ key: AttemptKey) -> Ending? {
        entries.withLock { entries in
            entries[key]?.task = nil
            entries[key]?.settling = true
            return entries[key]?.ending
        }
    }

    func renewed(_ keys: [AttemptKey], until moment: Moment) {
        entries.withLock { entries in
            for key in keys { entries[key]?.leaseUntil = moment }
        }
    }

    func leaseUntil(_ key: AttemptKey) -> Moment? {
        entries.withLock { $0[key]?.leaseUntil }
    }

    /// Gives up those of the calls that still run; returns which ones those were.
    @discardableResult
    func abort(_ keys: [AttemptKey], _ ending: Ending) -> [AttemptKey] {
        let aborted = entries.withLock { entries in
            keys.compactMap { key -> (AttemptKey, Task<Void, Never>?)? in
                guard let entry = entries[key], entry.ending == nil, !entry.settling else { return nil }
                entries[key]?.ending = ending
                return (key, entry.task)
            }
        }
        for (_, task) in aborted { task?.cancel() }
        return aborted.map(\.0)
    }

    /// The calls whose lease or deadline is over.
    func overdue(at now: Now) -> [(key: AttemptKey, ending: Ending)] {
        entries.withLock { entries in
            entries.compactMap { key, entry in
                guard entry.ending == nil, !entry.settling else { return nil }
                if entry.leaseUntil.hasPassed(at: now.moment) { return (key, .leaseEnded) }
                guard let deadline = entry.deadline, deadline <= now.timestamp else { return nil }
                return (key, .deadlinePassed)
            }
        }
    }

    /// How long until the first call is overdue; nil where none runs.
    func untilOverdue(at now: Now) -> Milliseconds? {
        entries.withLock { entries in
            entries.values.compactMap { entry in
                guard entry.ending == nil, !entry.settling else { return nil }
                let lease = entry.leaseUntil.milliseconds - now.moment.milliseconds
                return min(lease, entry.deadline.map { $0 - now.timestamp } ?? lease)
            }.min()
        }
    }
}
