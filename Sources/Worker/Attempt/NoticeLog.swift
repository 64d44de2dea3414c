import Jobs
import Synchronization

/// Hears an answer for the store, if its beginning is news, and passes everything on.
///
/// Each thing is reported once: limits as soon as the head names them, and that the answer has begun with its first event, as an
/// error may come in its place.
final class NoticeLog: AnswerListener {
    private struct State {
        var limits: LimitReport?
        var isDone = false
    }

    private let attempt: AttemptKey
    private let isProbe: Bool
    private let learnsLimits: Bool
    private let next: (any AnswerListener)?
    private let report: @Sendable (AnswerBeginning) -> Void
    private let state = Mutex(State())

    init(
        of attempt: ClaimedAttempt, before next: (any AnswerListener)?,
        report: @escaping @Sendable (AnswerBeginning) -> Void
    ) {
        self.attempt = attempt.key
        isProbe = attempt.isProbe
        learnsLimits = attempt.learnsLimits
        self.next = next
        self.report = report
    }

    func began(_ head: AnswerHead) {
        next?.began(head)
        guard learnsLimits, let limits = head.limits else { return }
        let isNews = state.withLock { state in
            defer { state.limits = limits }
            return state.limits == nil
        }
        if isNews { report(AnswerBeginning(key: attempt, limits: limits)) }
    }

    func heard(_ event: AnswerEvent) {
        next?.heard(event)
        guard event.isMessageStart else { return }
        let isNews = state.withLock { state in
            defer { state.isDone = true }
            return !state.isDone && (isProbe || learnsLimits && state.limits == nil)
        }
        if isNews { report(AnswerBeginning(key: attempt, isAnswering: true)) }
    }
}

extension AnswerEvent {
    /// By its name, or if a provider names no events by what it says.
    fileprivate var isMessageStart: Bool {
        name == "message_start" || name.isEmpty && data.firstRange(of: Array("\"message_start\"".utf8)) != nil
    }
}
