import Jobs
import Synchronization

/// Why the worker gave a call up.
enum AbortReason: String, Sendable {
    case deadlinePassed = "deadline passed"
    /// The store says the attempt is another's, or its job was cancelled.
    case revoked
    /// No renewal got through: another worker may have the job by now.
    case leaseEnded = "lease ended"
    case drained
    /// The worker stops at once and hands nothing back.
    case stopped
}

/// How full a worker is.
struct SlotUsage: Equatable {
    /// Attempts from their claim until their settlement is on disk.
    var open = 0
    /// Those of them whose call is over: they fill no slot any more.
    var settling = 0
    var holdsLoneJob = false

    /// A slot is free once its call is over: the settlement and the next claim then share a commit.
    ///
    /// If settlements do not get done, as many wait for theirs as there are slots, and no more.
    func freeSlots(of slots: Int) -> Int {
        let calling = open - settling
        return max(0, min(slots - calling, 2 * slots - open))
    }
}

/// The open attempts of this worker: what fills its slots, and the calls that can be aborted.
///
/// An attempt is listed from its claim until its settlement is on disk, so it is renewed all that time; a call can be
/// aborted only while it runs.
final class InFlight: Sendable {
    private struct Entry {
        var leaseUntil: Moment
        let deadline: Timestamp?
        let alone: Bool
        /// Cancelled if its call is given up.
        var task: Task<Void, Never>?
        var ending: AbortReason?
        var settling = false
    }

    private struct State {
        var entries: [AttemptKey: Entry] = [:]
        var settling = 0
        var aloneCount = 0
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.entries.count } }
    var keys: [AttemptKey] { state.withLock { Array($0.entries.keys) } }
    var slotUsage: SlotUsage {
        state.withLock { state in
            SlotUsage(
                open: state.entries.count, settling: state.settling, holdsLoneJob: state.aloneCount > 0)
        }
    }

    func open(_ attempt: ClaimedAttempt, ending: AbortReason? = nil) {
        state.withLock { state in
            state.entries[attempt.key] = Entry(
                leaseUntil: attempt.leaseUntil, deadline: attempt.deadline, alone: attempt.alone,
                ending: ending)
            if attempt.alone { state.aloneCount += 1 }
        }
    }

    func close(_ key: AttemptKey) {
        state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: key) else { return }
            if entry.settling { state.settling -= 1 }
            if entry.alone { state.aloneCount -= 1 }
        }
    }

    /// Whether the attempt has not been ended before its call.
    func mayCall(_ key: AttemptKey) -> Bool {
        state.withLock { state in state.entries[key].map { $0.ending == nil } ?? false }
    }

    /// Says in which task the attempt runs, as soon as its beginner knows.
    func note(_ task: Task<Void, Never>, of key: AttemptKey) {
        let isEnded = state.withLock { state in
            guard let entry = state.entries[key], !entry.settling else { return false }
            state.entries[key]?.task = task
            return entry.ending != nil
        }
        if isEnded { task.cancel() }
    }

    /// Says that the call is over, so that nothing aborts it any more; returns why it was aborted, if it was.
    func finishCall(_ key: AttemptKey) -> AbortReason? {
        state.withLock { state in
            guard state.entries[key] != nil else { return nil }
            state.settling += 1
            state.entries[key]?.task = nil
            state.entries[key]?.settling = true
            return state.entries[key]?.ending
        }
    }

    func renewed(_ keys: [AttemptKey], until moment: Moment) {
        state.withLock { state in
            for key in keys { state.entries[key]?.leaseUntil = moment }
        }
    }

    func leaseUntil(_ key: AttemptKey) -> Moment? {
        state.withLock { $0.entries[key]?.leaseUntil }
    }

    /// Gives up those of the calls that still run; returns which ones those were.
    @discardableResult
    func abort(_ keys: [AttemptKey], _ ending: AbortReason) -> [AttemptKey] {
        let aborted = state.withLock { state in
            keys.compactMap { key -> (AttemptKey, Task<Void, Never>?)? in
                guard let entry = state.entries[key], entry.ending == nil, !entry.settling else { return nil }
                state.entries[key]?.ending = ending
                return (key, entry.task)
            }
        }
        for (_, task) in aborted { task?.cancel() }
        return aborted.map(\.0)
    }

    /// The calls whose lease or deadline is over.
    func overdue(at now: Now) -> [(key: AttemptKey, ending: AbortReason)] {
        state.withLock { state in
            state.entries.compactMap { key, entry in
                guard entry.ending == nil, !entry.settling else { return nil }
                if entry.leaseUntil.hasPassed(at: now.moment) { return (key, .leaseEnded) }
                guard let deadline = entry.deadline, now.ends(deadline) else { return nil }
                return (key, .deadlinePassed)
            }
        }
    }

    /// How long until the first call is overdue; nil if none runs.
    func untilOverdue(at now: Now) -> Milliseconds? {
        state.withLock { state in
            state.entries.values.compactMap { entry in
                guard entry.ending == nil, !entry.settling else { return nil }
                let lease = entry.leaseUntil.milliseconds - now.moment.milliseconds
                // While calendars disagree no deadline is over; soon they may agree again.
                let soonest: Milliseconds = now.isCertain ? .min : 1000
                return min(lease, entry.deadline.map { max(soonest, $0 - now.timestamp) } ?? lease)
            }.min()
        }
    }
}
