package import Jobs

/// Hands each attempt to the caller that serves its route's service.
///
/// A dialect is one `ModelCaller` over the services that speak it; this is all that the worker sees of them.
package struct DispatchingCaller: ModelCaller {
    package let services: [ServiceKey]
    private let callers: [ServiceKey: any ModelCaller]

    /// If two callers serve one service, the first is asked.
    package init(_ callers: [any ModelCaller]) {
        let pairs = callers.flatMap { caller in caller.services.map { ($0, caller) } }
        self.callers = Dictionary(pairs) { first, _ in first }
        var seen: Set<ServiceKey> = []
        services = pairs.map(\.0).filter { seen.insert($0).inserted }
    }

    package var fingerprints: [ServiceKey: String] {
        callers.reduce(into: [:]) { all, pair in all[pair.key] = pair.value.fingerprints[pair.key] }
    }

    package func countTokens(
        _ request: [UInt8], on route: RouteKey, betas: [String]
    ) async throws -> PassedAnswer? {
        try await callers[route.service]?.countTokens(request, on: route, betas: betas)
    }

    package func call(_ attempt: ClaimedAttempt, listener: (any AnswerListener)?) async -> Outcome {
        guard let caller = callers[attempt.route.service] else {
            return .unsendable("this worker has no credential for \(attempt.route.name)")
        }
        return await caller.call(attempt, listener: listener)
    }
}

extension Outcome {
    /// A call that could not even be written.
    static func unsendable(_ message: String) -> Outcome {
        Outcome(.broken(Breakage(kind: .unsendable, message: message, maySent: false)))
    }
}
