import Jobs
import Testing

/// The provider's side of provider batches, as a schedule draws it.
struct Upstream {
    struct Batch {
        var providerBatch: ProviderBatchID
        var requests: [BatchedRequest]
        var hasEnded = false
    }

    var batches: [String: Batch] = [:]
    private var made = 0

    mutating func make(_ providerBatch: ProviderBatch, _ requests: [BatchedRequest]) -> String {
        made += 1
        let name = "msgbatch_\(made)"
        batches[name] = Batch(providerBatch: providerBatch.id, requests: requests)
        return name
    }

    func name(of providerBatch: ProviderBatch) -> String? {
        batches.first {
            $0.value.providerBatch == providerBatch.id && $0.value.requests.count == providerBatch.requests
        }?
        .key
    }
}

extension Schedule {
    static let terms: HalfPriceTerms = {
        var terms = HalfPriceTerms(services: services)
        terms.gather = 300
        terms.poll = 500
        terms.reserve = 6_000
        return terms
    }()

    /// A worker tends, and may die before it notes what it learned.
    func maintain() async throws {
        let index = Int.random(in: 0...1, using: &random)
        let store = try #require(stores[index] as? any ProviderBatchStore)
        let request = BatchMaintenanceRequest(keeper: workers[index], terms: Self.terms)
        guard let providerBatch = try await store.maintain(request, now: harness.now).providerBatch,
            chance(90)
        else {
            return
        }
        let keeper = Keeper(store: store, worker: workers[index], providerBatch: providerBatch)
        switch providerBatch.state {
        case .sealed: try await send(keeper)
        case .creating: try await resolve(keeper)
        case .away, .recalled: try await look(keeper)
        case .filling, .returning, .lost, .ended: Issue.record("nothing to do: \(providerBatch.state)")
        }
    }

    private struct Keeper {
        let store: any ProviderBatchStore
        let worker: WorkerID
        let providerBatch: ProviderBatch
    }

    private func note(_ news: ProviderBatchReport, _ keeper: Keeper) async throws {
        guard chance(95) else { return }
        try await keeper.store.note(
            news, of: keeper.providerBatch.id, keeper: keeper.worker, now: harness.now)
    }

    private func send(_ keeper: Keeper) async throws {
        let providerBatch = keeper.providerBatch
        guard
            try await keeper.store.beginSending(providerBatch.id, keeper: keeper.worker, now: harness.now)
        else { return }
        if chance(10) { harness.clock.advance(40_000) }
        let requests = try await keeper.store.requests(of: providerBatch.id)
        #expect(!requests.isEmpty)
        switch Int.random(in: 0..<10, using: &random) {
        case 0: try await note(.unsent("refused", after: 500), keeper)
        case 1 where chance(40): try await note(.undeliverable("404"), keeper)
        case 1 where requests.isEmpty || chance(40): try await note(.tooLarge("413"), keeper)
        case 1: try await note(.unsuitable(requests[requests.count / 2].key, "400"), keeper)
        case 2: try await note(.unknown("cut", after: 500), keeper)
        case 3:
            _ = upstream.make(providerBatch, requests)
            try await note(.unknown("cut", after: 500), keeper)
        default: try await note(.created(upstream.make(providerBatch, requests)), keeper)
        }
    }

    private func resolve(_ keeper: Keeper) async throws {
        guard let name = upstream.name(of: keeper.providerBatch) else {
            return try await note(.missing(after: 500), keeper)
        }
        try await note(.created(name), keeper)
    }

    private func look(_ keeper: Keeper) async throws {
        let name = try #require(keeper.providerBatch.providerID)
        let batch = try #require(upstream.batches[name])
        #expect(batch.providerBatch == keeper.providerBatch.id)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<3: try await note(.pending(after: 500), keeper)
        case 3: try await note(.recalled(after: 200), keeper)
        case 4: try await note(.lookFailed("503", after: 500), keeper)
        case 5 where chance(20): try await note(.lost("forgotten"), keeper)
        default: try await collect(batch, keeper, isWhole: chance(85))
        }
    }

    /// Where its results are broken off, what was read of them stays settled.
    func collect(_ batch: Upstream.Batch, _ isWhole: Bool, index: Int) async throws {
        let store = try #require(stores[index] as? any ProviderBatchStore)
        for request in batch.requests where isWhole || chance(50) {
            guard !forgotten.contains(request.key), isWhole == false || chance(95) else { continue }
            let attempts = try await store.batched([request.key], to: batch.providerBatch)
            guard let attempt = attempts.first else { continue }
            try await settle(attempt, with: result())
        }
    }

    private func collect(_ batch: Upstream.Batch, _ keeper: Keeper, isWhole: Bool) async throws {
        try await collect(batch, isWhole, index: keeper.worker == workers[0] ? 0 : 1)
        if isWhole { try await note(.ended, keeper) }
    }

    private func result() -> Outcome {
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return Sample.refusal(500)
        case 1: return Sample.refusal(400)
        case 2: return Sample.refusal(529)
        case 3..<6: return Sample.notProcessed
        default:
            var answer = Sample.answer(chance(80) ? "positive" : "unsure")
            answer.usage.isBatch = true
            return Outcome(.answer(answer))
        }
    }

    /// Fair weather: whatever is out comes back.
    func finishBatches() async throws {
        let store = try #require(stores[0] as? any ProviderBatchStore)
        let tending = try await store.maintain(
            BatchMaintenanceRequest(keeper: workers[0], terms: Self.terms), now: harness.now)
        guard let providerBatch = tending.providerBatch else { return }
        let keeper = Keeper(store: store, worker: workers[0], providerBatch: providerBatch)
        switch providerBatch.state {
        case .sealed:
            guard
                try await store.beginSending(providerBatch.id, keeper: workers[0], now: harness.now)
            else { return }
            let name = upstream.make(providerBatch, try await store.requests(of: providerBatch.id))
            try await store.note(.created(name), of: providerBatch.id, keeper: workers[0], now: harness.now)
        case .creating: try await resolve(keeper)
        case .away, .recalled:
            let batch = try #require(upstream.batches[providerBatch.providerID ?? ""])
            for request in batch.requests where !forgotten.contains(request.key) {
                let attempts = try await store.batched([request.key], to: providerBatch.id)
                for attempt in attempts { try await settle(attempt, with: Sample.halfPriceAnswer) }
            }
            try await store.note(.ended, of: providerBatch.id, keeper: workers[0], now: harness.now)
        case .filling, .returning, .lost, .ended: break
        }
    }
}
