package import Jobs
import Synchronization

/// One service behind several base URLs: a call goes to the best, and moves on at once if that one is ill.
///
/// It moves on only if nobody can have answered it: the endpoint was not reached, or said 5xx. A connection that broke
/// after the request was sent is the worker's affair, as the call may have been paid for.
package final class EndpointCaller: ModelCaller {
    package let services: [ServiceKey]
    private let callers: [any ModelCaller]
    private let ranking: Mutex<EndpointRanking>
    private let clock: any Clock
    private let noteRanking: @Sendable ([EndpointRanking.Endpoint]) -> Void

    /// One caller for each URL, all of the same service; `noteRanking` is told the endpoints from the best on, whenever one
    /// falls ill or gets well and whenever another becomes the best.
    package init(
        service: ServiceKey, endpoints: [(url: String, caller: any ModelCaller)], clock: any Clock,
        noteRanking: @escaping @Sendable ([EndpointRanking.Endpoint]) -> Void = { _ in }
    ) {
        services = [service]
        callers = endpoints.map(\.caller)
        ranking = Mutex(EndpointRanking(endpoints.map(\.url)))
        self.clock = clock
        self.noteRanking = noteRanking
    }

    package var fingerprints: [ServiceKey: String] { callers[0].fingerprints }

    package func countTokens(
        _ request: [UInt8], on route: RouteKey, betas: [String]
    ) async throws -> PassedAnswer? {
        let best = ranking.withLock { $0.order(at: now) }.first ?? 0
        return try await callers[best].countTokens(request, on: route, betas: betas)
    }

    package func call(_ attempt: ClaimedAttempt, listener: (any AnswerListener)?) async -> Outcome {
        let order = ranking.withLock { $0.order(at: now) }
        var outcome = Outcome(.abandoned(sent: false))
        for index in order where !Task.isCancelled {
            let began = now
            outcome = await callers[index].call(attempt, listener: listener)
            guard let report = EndpointRanking.Report(outcome, after: now - began) else { return outcome }
            note(report, of: index)
            guard report.movesOn else {
                if case .cut = report { outcome.routeIsWell = othersAreWell(than: index) }
                return outcome
            }
        }
        return outcome
    }

    private func othersAreWell(than index: Int) -> Bool {
        ranking.withLock { ranking in
            ranking.endpoints.indices.contains { $0 != index && ranking.endpoints[$0].isWell }
        }
    }

    private var now: Milliseconds { clock.now().moment.milliseconds }

    private func note(_ report: EndpointRanking.Report, of index: Int) {
        let news = ranking.withLock { ranking -> [EndpointRanking.Endpoint]? in
            let best = ranking.ranked.first
            let hasChanged = ranking.note(report, of: index, at: now)
            guard hasChanged || ranking.ranked.first != best else { return nil }
            return ranking.ranked.map { ranking.endpoints[$0] }
        }
        if let news { noteRanking(news) }
    }
}

extension EndpointRanking.Report {
    /// Whether nobody can have answered the call.
    var movesOn: Bool {
        switch self {
        case .unreachable, .failed: true
        case .answered, .cut: false
        }
    }

    /// Nil if an outcome says nothing of its endpoint.
    init?(_ outcome: Outcome, after latency: Milliseconds) {
        switch outcome.result {
        case .answer: self = .answered(after: latency)
        case .refusal(let refusal) where (500...599).contains(refusal.status): self = .failed
        case .refusal: self = .answered(after: nil)
        case .broken(let breakage):
            switch breakage.kind {
            case .unreachable where !breakage.maySent: self = .unreachable
            case .unreachable, .reset, .timeout, .truncated: self = .cut
            case .malformed, .tooLarge, .unsendable: return nil
            }
        case .abandoned: return nil
        }
    }
}
