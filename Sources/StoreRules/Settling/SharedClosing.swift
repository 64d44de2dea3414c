package import Jobs

/// What an attempt's end says to the rows that it shares with others: its route, its key, its queue and its budgets, and who waits for it.
///
/// A store with one writer applies it at once. One with many notes it in the settlement's transaction, which so waits for none of these
/// rows, and the next that has them locked applies it.
package struct SharedClosing: Sendable {
    /// What a call says of the route that it was made on.
    package struct Call: Sendable {
        package var need: RouteLedger.Need
        package var marks: RouteLedger.Marks
        package var requestBytes: Int
        package var used: RouteLedger.Used
        package var event: RouteEvent
        package var limits: LimitReport?
        package var milliseconds: Milliseconds
    }

    /// What a call says of its queue.
    package enum Saying: Hashable, Sendable {
        case nothing
        case succeeded
        /// Refused with these words, and asked of no other route.
        case refused(signature: String, message: String)
    }

    package let route: Int64
    package let queue: Int64
    package let openedAt: Moment
    /// When it was judged.
    package let now: Now
    /// Nil for one that has no call of its own, or whose call was closed before.
    package var call: Call?
    /// The key that the call was made with, if its end may concern it.
    package var credential: Int64?
    package var saying = Saying.nothing
    package let windows: [Int64]
    /// What was reserved in each of these windows.
    package let worstCase: Money
    package var money = BudgetLedger.Change()
    /// Who waited for the call, and what the provider's cache has now.
    package var releases: [Release] = []
    package var prefixes: [Prefix] = []

    package struct Prefix: Sendable {
        package let hash: [UInt8]
        package let route: Int64
        package let change: PrefixChange

        package init(hash: [UInt8], route: Int64, change: PrefixChange) {
            self.hash = hash
            self.route = route
            self.change = change
        }
    }

    package init(route: Int64, queue: Int64, openedAt: Moment, windows: [Int64], worstCase: Money, now: Now) {
        self.route = route
        self.queue = queue
        self.openedAt = openedAt
        self.windows = windows
        self.worstCase = worstCase
        self.now = now
    }

    /// Takes over what a settlement's delta says to those that wait, and leaves the rest.
    package mutating func takeReleases(from delta: inout Delta) {
        delta.removeChanges { change in
            switch change {
            case .release(let release): releases.append(release)
            case .prefix(let hash, let route, let change):
                prefixes.append(Prefix(hash: hash, route: route, change: change))
            default: return false
            }
            return true
        }
    }
}

// MARK: - Applying

extension SharedClosing {
    /// A key, and the workers that have it.
    package typealias Credential = (state: CredentialState, workers: [String])

    /// The row cache must have the route, the queue and the budget windows; `credentials` are changed in place.
    package func apply(
        to rowCache: inout RowCache, _ credentials: inout [Int64: Credential], _ delta: inout Delta,
        using random: inout some RandomNumberGenerator
    ) {
        if let call, var route = rowCache.routes[route] {
            let event = close(call.event, &credentials, &delta, using: &random)
            let before = route.ledger.gate.state
            route.ledger.close(
                call.need, marks: call.marks, requestBytes: call.requestBytes, used: call.used, event: event,
                limits: call.limits, claimedAt: openedAt, callMilliseconds: call.milliseconds, now: now,
                using: &random)
            if let notice = StateNotice(route: route.key, from: before, to: route.ledger.gate) {
                delta.notice(notice)
            }
            rowCache.keep(route)
        }
        closeQueue(&rowCache, &delta)
        delta.apply(money, to: windows, in: &rowCache, worstCase: worstCase, now: now)
        for release in releases { delta.add(.release(release)) }
        for prefix in prefixes { delta.add(.prefix(prefix.hash, route: prefix.route, prefix.change)) }
    }

    /// What is left for the route: a refused key concerns only the workers that have it, if they said which.
    private func close(
        _ event: RouteEvent, _ credentials: inout [Int64: Credential], _ delta: inout Delta,
        using random: inout some RandomNumberGenerator
    ) -> RouteEvent {
        guard let id = credential, var found = credentials[id] else { return event }
        let before = found.state.gate
        found.state.gate.apply(event.onKey, claimedAt: openedAt, now: now, using: &random)
        let rest = event == .unauthorized ? .neutral : event
        guard found.state.gate != before else { return rest }
        credentials[id] = found
        delta.add(.credential(found.state))
        if found.state.gate.state != before.state { delta.notice(StateNotice(found)) }
        return rest
    }

    /// Its place in its queue, and the runs of identical refusals.
    ///
    /// Such a run holds back the jobs of the same queue on the same route, and no others; nor those that a caller waits for, who
    /// hears of it at once.
    private func closeQueue(_ rowCache: inout RowCache, _ delta: inout Delta) {
        guard call != nil || saying != .nothing, var queue = rowCache.queues[queue],
            let key = rowCache.routes[route]?.key
        else { return }
        if call != nil { queue.running = max(0, queue.running - 1) }
        switch saying {
        case .nothing: break
        case .refused(let signature, let message): refuse(signature, message, &queue, key, &delta)
        case .succeeded:
            if let streak = queue.streaks[route] { lift(streak, &queue, key, &delta) }
        }
        rowCache.keep(queue)
    }

    private func refuse(
        _ signature: String, _ message: String, _ queue: inout QueueState, _ key: RouteKey,
        _ delta: inout Delta
    ) {
        var streak = queue.streaks[route] ?? RefusalStreak(signature: signature, message: message)
        let wasHeld = streak.isHeld
        streak.refuse(
            signature: signature, message: String(message.prefix(300)),
            claimedAt: openedAt,
            now: now)
        queue.streaks[route] = streak
        guard streak.isHeld, !wasHeld else { return }
        delta.notice(
            StateNotice(
                .queue, queue.name, state: "held_back",
                cause:
                    "\(streak.refusals) jobs in a row were refused alike by \(key.name) (\(signature)): \(message)",
                cure:
                    "renga retry --queue \(queue.name) --model \(key.model) --set model=MODEL, or renga resume queue \(queue.name)"
            ))
    }

    private func lift(
        _ streak: RefusalStreak, _ queue: inout QueueState, _ key: RouteKey, _ delta: inout Delta
    ) {
        queue.streaks[route] = nil
        guard streak.isHeld else { return }
        delta.notice(
            StateNotice(
                .queue, queue.name, state: "running",
                cause: "a job for \(key.name) succeeded: the others go on", isEnd: true))
    }
}

extension StateNotice {
    fileprivate init(_ credential: SharedClosing.Credential) {
        let (key, workers) = credential
        let isOpen = key.gate.state == .open
        self.init(
            .credential, "\(key.service.provider) \(key.service.credential)",
            state: isOpen ? "accepted" : "refused",
            cause: isOpen
                ? "the provider accepts the key again"
                : "the provider refuses the key (401) of \(workers.joined(separator: ", "))",
            cure: isOpen ? "" : "correct \(key.service.credential) and restart these workers", isEnd: isOpen)
    }
}

extension RouteEvent {
    /// What it says of the key: whatever is answered but 401 was asked with a key that is accepted.
    fileprivate var onKey: RouteEvent {
        switch self {
        case .unauthorized: .unauthorized
        case .unavailable, .neutral: .neutral
        case .succeeded, .rateLimited, .overloaded, .forbidden, .spendCapped, .refused: .succeeded
        }
    }
}
