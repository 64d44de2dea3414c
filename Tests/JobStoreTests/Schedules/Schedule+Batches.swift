import Jobs
import Testing
import TestSupport

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
        terms.linger = 300
        terms.poll = 500
        terms.deadlineMargin = 6_000
        return terms
    }()

    /// A worker tends, and may die before it notes what it learned.
    func maintain() async throws {
        let index = Int.random(in: 0...1, using: &random)
        let store = try #require(stores[index] as? any ProviderBatchStore)
        let request = BatchMaintenanceRequest(owner: workers[index], terms: Self.terms)
        guard let providerBatch = try await store.maintain(request).providerBatch,
            chance(90)
        else {
            return
        }
        let owner = BatchOwner(store: store, worker: workers[index], providerBatch: providerBatch)
        switch providerBatch.state {
        case .sealed: try await send(owner)
        case .creating: try await resolve(owner)
        case .away, .recalled: try await look(owner)
        case .filling, .returning, .lost, .ended: Issue.record("nothing to do: \(providerBatch.state)")
        }
    }

    private struct BatchOwner {
        let store: any ProviderBatchStore
        let worker: WorkerID
        let providerBatch: ProviderBatch
    }

    private func note(_ news: ProviderBatchReport, _ owner: BatchOwner) async throws {
        guard chance(95) else { return }
        try await owner.store.note(news, of: owner.providerBatch.id, owner: owner.worker)
    }

    private func send(_ owner: BatchOwner) async throws {
        let providerBatch = owner.providerBatch
        guard
            try await owner.store.beginSending(providerBatch.id, owner: owner.worker)
        else { return }
        if chance(10) { harness.clock.advance(40_000) }
        let requests = try await owner.store.requests(of: providerBatch.id)
        #expect(!requests.isEmpty)
        switch Int.random(in: 0..<10, using: &random) {
        case 0: try await note(.unsent("refused", after: 500), owner)
        case 1 where chance(40): try await note(.undeliverable("404"), owner)
        case 1 where requests.isEmpty || chance(40): try await note(.tooLarge("413"), owner)
        case 1: try await note(.unsuitable(requests[requests.count / 2].key, "400"), owner)
        case 2: try await note(.unknown("cut", after: 500), owner)
        case 3:
            _ = upstream.make(providerBatch, requests)
            try await note(.unknown("cut", after: 500), owner)
        default: try await note(.created(upstream.make(providerBatch, requests)), owner)
        }
    }

    private func resolve(_ owner: BatchOwner) async throws {
        guard let name = upstream.name(of: owner.providerBatch) else {
            return try await note(.missing(after: 500), owner)
        }
        try await note(.created(name), owner)
    }

    private func look(_ owner: BatchOwner) async throws {
        let name = try #require(owner.providerBatch.providerID)
        let batch = try #require(upstream.batches[name])
        #expect(batch.providerBatch == owner.providerBatch.id)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<3: try await note(.pending(after: 500), owner)
        case 3: try await note(.recalled(after: 200), owner)
        case 4: try await note(.lookFailed("503", after: 500), owner)
        case 5 where chance(20): try await note(.lost("forgotten"), owner)
        default: try await collect(batch, owner, isWhole: chance(85))
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

    private func collect(_ batch: Upstream.Batch, _ owner: BatchOwner, isWhole: Bool) async throws {
        try await collect(batch, isWhole, index: owner.worker == workers[0] ? 0 : 1)
        if isWhole { try await note(.ended, owner) }
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
        let tending = try await store.maintain(BatchMaintenanceRequest(owner: workers[0], terms: Self.terms))
        guard let providerBatch = tending.providerBatch else { return }
        let owner = BatchOwner(store: store, worker: workers[0], providerBatch: providerBatch)
        switch providerBatch.state {
        case .sealed:
            guard
                try await store.beginSending(providerBatch.id, owner: workers[0])
            else { return }
            let name = upstream.make(providerBatch, try await store.requests(of: providerBatch.id))
            try await store.note(.created(name), of: providerBatch.id, owner: workers[0])
        case .creating: try await resolve(owner)
        case .away, .recalled:
            let batch = try #require(upstream.batches[providerBatch.providerID ?? ""])
            for request in batch.requests where !forgotten.contains(request.key) {
                let attempts = try await store.batched([request.key], to: providerBatch.id)
                for attempt in attempts { try await settle(attempt, with: Sample.halfPriceAnswer) }
            }
            try await store.note(.ended, of: providerBatch.id, owner: workers[0])
        case .filling, .returning, .lost, .ended: break
        }
    }
}
