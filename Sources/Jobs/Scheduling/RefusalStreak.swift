/// A run of identical refusals of one queue's jobs on one route: a retired model, a typo in a template; or only some bad rows.
///
/// After `RouteLedger.autoPauseThreshold` of them in a row the next job is asked by itself, another one each time. If that is
/// refused alike the others are held back, and single jobs go on asking, less and less often; a success ends it all. Pure.
package struct RefusalStreak: Hashable, Sendable {
    package var signature: String
    /// The newest one's words.
    package var message: String
    package var refusals: Int
    /// From when on jobs are asked one at a time.
    package var askedFrom: Moment?
    /// How many of those were refused too.
    package var trips: Int
    /// The next one is asked then.
    package var until: Moment?
    /// Since when the others are held back; nil if they are not.
    package var heldSince: Timestamp?

    package static let longestWait: Milliseconds = 300_000

    package init(
        signature: String, message: String, refusals: Int = 0, askedFrom: Moment? = nil, trips: Int = 0,
        until: Moment? = nil, heldSince: Timestamp? = nil
    ) {
        self.signature = signature
        self.message = message
        self.refusals = refusals
        self.askedFrom = askedFrom
        self.trips = trips
        self.until = until
        self.heldSince = heldSince
    }

    // MARK: What a settlement tells

    /// Another refusal, of a call that was claimed at `claimedAt`.
    package mutating func refuse(signature: String, message: String, claimedAt: Moment, now: Now) {
        if signature != self.signature { self = RefusalStreak(signature: signature, message: message) }
        self.message = message
        refusals = min(refusals, .max - 1) + 1
        guard refusals >= RouteLedger.autoPauseThreshold else { return }
        guard let askedFrom else { return askedFrom = now.moment }
        // What was in flight before says nothing new.
        guard askedFrom.epoch != claimedAt.epoch || claimedAt.milliseconds >= askedFrom.milliseconds else {
            return
        }
        trips = min(trips, 62) + 1
        until = now.moment + min(Self.longestWait, 1000 << Milliseconds(min(trips - 1, 10)))
        heldSince = heldSince ?? now.timestamp
    }

    // MARK: What a claim asks

    /// Whether the next job is to tell for all, and so should be a different one each time.
    package var asksOneAtATime: Bool { refusals >= RouteLedger.autoPauseThreshold }
    package var isHeld: Bool { heldSince != nil }

    /// How long no call is made.
    package func wait(at now: Moment) -> Milliseconds? {
        guard let until, !until.hasPassed(at: now) else { return nil }
        return until.milliseconds - now.milliseconds
    }

    /// For the route's own rule of how many calls may fly after refusals: one at the least.
    package var inARow: Int { min(refusals, RouteLedger.autoPauseThreshold - 1) }
}

extension RefusalStreak {
    /// Why jobs are held back, and what helps; for people.
    package func explanation(queue: String, route: RouteKey) -> String {
        """
        \(refusals) jobs in a row were refused alike (\(signature)), so jobs of queue \(queue) for \(route.name) are held back \
        and single ones are tried: \(message). If all of them are wrong: `renga retry --queue \(queue) --model \(route.model) \
        --set model=MODEL`. If it is put right elsewhere: `renga resume queue \(queue)`
        """
    }
}
