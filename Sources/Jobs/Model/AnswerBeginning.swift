/// What the beginning of an answer reported about its route, long before its end: only what was not known when it was
/// claimed.
package struct AnswerBeginning: Hashable, Sendable {
    package var key: AttemptKey
    /// What the head of the answer said.
    package var limits: LimitReport?
    /// The answer itself has begun: no error came in its place.
    package var isAnswering: Bool

    package init(key: AttemptKey, limits: LimitReport? = nil, isAnswering: Bool = false) {
        self.key = key
        self.limits = limits
        self.isAnswering = isAnswering
    }
}
