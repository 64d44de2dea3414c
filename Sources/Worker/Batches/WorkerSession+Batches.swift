package import Jobs
import Telemetry

/// The provider's own batches, for a worker that sends jobs with them.
package struct ProviderBatchSettings: Sendable {
    var store: any ProviderBatchStore
    var provider: any BatchProvider
    var terms: HalfPriceTerms

    package init(store: any ProviderBatchStore, provider: any BatchProvider, terms: HalfPriceTerms) {
        self.store = store
        self.provider = provider
        self.terms = terms
    }
}

extension WorkerSession {
    /// Gathers jobs for the provider's batches, and sees to one provider batch after the other; every worker does it, so that
    /// one survivor is enough.
    func maintain(_ batches: ProviderBatchSettings) async {
        let request = BatchMaintenanceRequest(owner: worker, terms: batches.terms)
        var backoff = Backoff(cap: 30_000)
        while !Task.isCancelled, runState.current == .work {
            do {
                let tending = try await batches.store.maintain(request)
                if let providerBatch = tending.providerBatch {
                    try await ProviderBatchLoop(session: self, batches: batches, providerBatch: providerBatch)
                        .see()
                } else if !tending.more {
                    let rhythm = min(Intervals.maintain, batches.terms.poll)
                    await pause(rhythm + Milliseconds.random(in: 0...(rhythm / 10)))
                }
                backoff.reset()
            } catch {
                absence.failed(.warning, "batches could not be seen to", error, log)
                await pause(backoff.next())
            }
        }
    }
}

/// Sees to one provider batch, by one step; what it learns is noted before anybody else looks.
private struct ProviderBatchLoop {
    let session: WorkerSession
    let batches: ProviderBatchSettings
    let providerBatch: ProviderBatch
    private var store: any ProviderBatchStore { batches.store }
    private var provider: any BatchProvider { batches.provider }
    private var poll: Milliseconds { batches.terms.poll }

    /// Lines of results that are settled side by side.
    private static let portion = 100
    /// A batch may be listed as made before we began, by clocks that differ.
    private static let clockSkew: Milliseconds = 900_000
    /// Requests that are taken out of one provider batch, one refusal each, before all of it is given up.
    private static let mostUnsuitable = 50
    private static let longestPause: Milliseconds = 600_000
    /// So often a provider may say that it does not know a batch which it made.
    private static let patience = 3

    init(session: WorkerSession, batches: ProviderBatchSettings, providerBatch: ProviderBatch) {
        self.session = session
        self.batches = batches
        self.providerBatch = providerBatch
    }

    func see() async throws {
        switch providerBatch.state {
        case .sealed: try await send()
        case .creating: try await resolve()
        case .away, .recalled: try await look()
        case .filling, .returning, .lost, .ended: break
        }
    }

    private func note(_ news: ProviderBatchReport) async throws {
        try await store.note(news, of: providerBatch.id, owner: session.worker)
    }

    private var log: Log {
        session.log.with([
            "provider_batch": .int(Int(providerBatch.id.value)), "batch": "\(providerBatch.providerID ?? "")",
        ])
    }

    /// Longer with each failure in a row.
    private var later: Milliseconds {
        min(Self.longestPause, poll << min(providerBatch.failures, 10))
    }

    // MARK: There

    private func send() async throws {
        guard
            try await store.beginSending(providerBatch.id, owner: session.worker)
        else { return }
        let requests = try await store.requests(of: providerBatch.id)
        // Not a child: an order to stop does not break off what would then have to be looked for.
        let creation = await Task { await provider.create(providerBatch, requests) }.value
        switch creation {
        case .created(let batch):
            log.info("batch sent", ["batch": "\(batch.id)", "requests": .int(requests.count)])
            try await note(.created(batch.id))
        case .unsent(let reason):
            log.warning("batch could not be sent, again later", ["error": "\(reason)"])
            try await note(.unsent(reason, after: later))
        case .unknown(let reason):
            log.warning("nobody knows whether the batch was made", ["error": "\(reason)"])
            try await note(.unknown(reason, after: poll))
        case .refused(let refusal):
            try await refused(refusal, requests)
        }
    }

    private func refused(_ refusal: Refusal, _ requests: [BatchedRequest]) async throws {
        let reason = "\(refusal.status): \(refusal.message)"
        log.warning("batch refused", ["error": "\(reason)"])
        switch BatchRefusal(refusal, of: requests.count) {
        case .passes:
            try await note(.unsent(reason, after: max(later, refusal.retryAfter?.obeyed ?? 0)))
        case .request(let index) where providerBatch.failures < Self.mostUnsuitable:
            try await note(.unsuitable(requests[index].key, reason))
        case .tooLarge:
            try await note(.tooLarge(reason))
        case .request, .unavailable:
            try await note(.undeliverable(reason))
        }
    }

    /// Looks whether the provider has it, before it is made once more.
    private func resolve() async throws {
        guard let sentAt = providerBatch.sentAt else { return }
        do {
            let listed = try await provider.batches(
                of: providerBatch.route.service, since: sentAt + -Self.clockSkew)
            let alike = listed.filter {
                $0.requests == providerBatch.requests && !providerBatch.rejectedIDs.contains($0.id)
            }
            let others = try await store.known(alike.map(\.id))
            let ours = alike.filter { !others.contains($0.id) }
                .min { abs($0.createdAt - sentAt) < abs($1.createdAt - sentAt) }
            guard let found = ours else { return try await note(.missing(after: poll)) }
            log.notice("batch found that was sent", ["batch": "\(found.id)"])
            try await note(.created(found.id))
        } catch let error as JobError {
            try await note(.lookFailed(error.message, after: later))
        }
    }

    // MARK: Back

    private func look() async throws {
        guard let id = providerBatch.providerID else { return }
        do {
            guard let batch = try await provider.batch(id, of: providerBatch.route.service) else {
                return try await forgotten()
            }
            if batch.hasEnded { return try await collect(id) }
            guard providerBatch.state == .away, isDueBack else {
                return try await note(.pending(after: providerBatch.state == .away ? poll : poll / 4))
            }
            if !batch.isCanceling { try await provider.cancel(id, of: providerBatch.route.service) }
            log.notice("batch called back")
            try await note(.recalled(after: poll / 4))
        } catch let error as JobError {
            log.warning("batch could not be looked at", ["error": "\(error.message)"])
            try await note(.lookFailed(error.message, after: later))
        }
    }

    private var isDueBack: Bool {
        guard providerBatch.isWanted else { return true }
        return providerBatch.recallAt.map { $0 <= session.store.now().timestamp } ?? false
    }

    private func forgotten() async throws {
        let reason = "the provider does not know the batch any more"
        log.warning("the provider does not know the batch any more")
        guard providerBatch.failures >= Self.patience else {
            return try await note(.lookFailed(reason, after: poll))
        }
        try await note(.lost(reason))
    }

    private func collect(_ id: String) async throws {
        do {
            try await provider.results(of: id, on: providerBatch.route.service) { lines in
                try await settle(lines)
            }
            log.info("batch done")
            try await note(.ended)
        } catch is Stranger {
            log.warning("batch is somebody else's")
            try await note(.stranger)
        }
    }

    private struct Stranger: Error {}

    private func settle(_ lines: [BatchLine]) async throws {
        var outcomes: [AttemptKey: Outcome] = [:]
        for line in lines {
            guard let key = providerBatch.key(of: line.customID) else { throw Stranger() }
            outcomes[key] = line.outcome
        }
        // Those that an earlier reading settled are not among them.
        let attempts = try await store.batched(Array(outcomes.keys), to: providerBatch.id)
        await withTaskGroup { group in
            for attempt in attempts {
                guard let outcome = outcomes[attempt.key] else { continue }
                group.addTask { await settle(attempt, outcome) }
            }
        }
    }

    private func settle(_ attempt: ClaimedAttempt, _ outcome: Outcome) async {
        session.noteCost(of: attempt, outcome)
        guard let settlement = session.settlement(of: attempt, Called(outcome: outcome, milliseconds: 0))
        else { return }
        _ = await session.settle(settlement)
    }
}
