import Crypto
import HTTPServer
import Jobs
import Synchronization

/// Calls that SDKs may repeat, so that a repeat joins the call that still flies instead of paying for another.
///
/// SDKs send no key of their own; but they number their repeats in `x-stainless-retry-count`, and a repeat has its call's
/// very bytes. Known in memory only: after a restart a repeat is a new call.
final class Repeats: Sendable {
    /// How long after its end a call's answer is given to its repeat.
    static let memory: Milliseconds = 60_000
    /// A call that nobody waits for any more is forgotten after this; it is as long as calls may take.
    private static let forgotten: Duration = .seconds(900)
    /// Calls remembered; beyond it those that nobody waits for are forgotten.
    private static let most = 20_000

    private struct Entry {
        var job: JobID
        var holders = 1
        var leftAt: ContinuousClock.Instant?
    }

    private struct State {
        var calls: [[UInt8]: [Entry]] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    /// One caller's part in a call; it ends when the last one lets go of it.
    final class Flight: Sendable {
        fileprivate let name: [UInt8]?
        private let isRepeat: Bool
        private let repeats: Repeats
        private let held = Mutex<JobID?>(nil)

        init(_ name: [UInt8]?, isRepeat: Bool, _ repeats: Repeats) {
            self.name = name
            self.isRepeat = isRepeat
            self.repeats = repeats
        }

        /// The calls that this one may repeat: those whose callers have gone, the newest first, then the others.
        func earlier() -> [JobID] {
            guard isRepeat, let name else { return [] }
            return repeats.candidates(name)
        }

        func begin(_ job: JobID) {
            guard let name else { return }
            held.withLock { $0 = job }
            repeats.hold(job, name)
        }

        /// Whether nobody else waits for the call.
        func isAlone(with job: JobID) -> Bool {
            guard let name else { return true }
            return repeats.holders(of: job, name) <= 1
        }

        deinit {
            if let name, let job = held.withLock({ $0 }) { repeats.leave(job, name) }
        }
    }

    /// A call on its way in, by its caller; one with an idempotency key is found by that.
    func flight(_ call: Call, caller: String, hasKey: Bool) -> Flight {
        guard !hasKey, let count = call.head.headers["x-stainless-retry-count"] else {
            return Flight(nil, isRepeat: false, self)
        }
        return Flight(Self.name(call, caller), isRepeat: (Int(count) ?? 0) > 0, self)
    }

    /// Over all that makes it this call: who asks, where, in which terms, and the bytes.
    private static func name(_ call: Call, _ caller: String) -> [UInt8] {
        var text = Array("\(caller)\n\(call.head.rawPath)\n".utf8)
        for field in call.head.headers.fields {
            let name = field.name.lowercased()
            guard name.hasPrefix("x-renga-") || name.hasPrefix("anthropic-") else { continue }
            text.append(contentsOf: "\(name): \(field.value)\n".utf8)
        }
        var hasher = SHA256.Hasher()
        hasher.update(text)
        hasher.update(call.bytes)
        return hasher.finish()
    }
}

extension Repeats {
    private func candidates(_ name: [UInt8]) -> [JobID] {
        state.withLock { state in
            let entries = state.calls[name] ?? []
            let left = entries.filter { $0.holders == 0 }.reversed().map(\.job)
            return left + entries.filter { $0.holders > 0 }.map(\.job)
        }
    }

    private func hold(_ job: JobID, _ name: [UInt8]) {
        state.withLock { state in
            if state.count >= Self.most { Self.forget(&state) }
            let at = state.calls[name]?.firstIndex { $0.job == job }
            if let at {
                state.calls[name]?[at].holders += 1
                state.calls[name]?[at].leftAt = nil
            } else {
                state.calls[name, default: []].append(Entry(job: job))
                state.count += 1
            }
        }
    }

    private func holders(of job: JobID, _ name: [UInt8]) -> Int {
        state.withLock { $0.calls[name]?.first { $0.job == job }?.holders ?? 0 }
    }

    private func leave(_ job: JobID, _ name: [UInt8]) {
        let now = ContinuousClock.now
        state.withLock { state in
            guard var entries = state.calls[name], let at = entries.firstIndex(where: { $0.job == job })
            else { return }
            entries[at].holders -= 1
            entries[at].leftAt = now
            // What is long gone goes with the next one of its name.
            let kept = entries.filter { entry in entry.leftAt.map { now - $0 < Self.forgotten } ?? true }
            state.count -= entries.count - kept.count
            state.calls[name] = kept.isEmpty ? nil : kept
        }
    }

    private static func forget(_ state: inout State) {
        let now = ContinuousClock.now
        let old = state.calls.mapValues { entries in
            entries.filter { entry in entry.leftAt.map { now - $0 < .milliseconds(Self.memory) } ?? true }
        }
        state.calls = old.filter { !$0.value.isEmpty }
        state.count = state.calls.values.reduce(0) { $0 + $1.count }
        guard state.count >= most else { return }
        state.calls = state.calls.compactMapValues { entries in
            let held = entries.filter { $0.leftAt == nil }
            return held.isEmpty ? nil : held
        }
        state.count = state.calls.values.reduce(0) { $0 + $1.count }
    }
}

extension APISettings {
    /// How long a caller waits for its turn: less than it reads, if it says how long that is, so that it hears why.
    func patience(of head: RequestHead) -> Milliseconds {
        let reads = ["x-stainless-read-timeout", "x-stainless-timeout"]
            .compactMap { head.headers[$0].flatMap { Double($0) } }
            .filter { $0.isFinite && $0 > 0 }
        guard let seconds = reads.min() else { return interactiveWait }
        return min(interactiveWait, max(100, Milliseconds(min(seconds, 86_400) * 900)))
    }
}
