import Jobs
import Testing
import TestSupport

extension HalfPriceTerms {
    /// Short enough for a clock turned by hand: jobs with ten minutes left may go, and are called back five before.
    static let sample: HalfPriceTerms = {
        var terms = HalfPriceTerms(services: [Sample.service])
        terms.linger = 1000
        terms.poll = 1000
        terms.deadlineMargin = 300_000
        return terms
    }()
}

/// What a worker does that sends jobs with the provider's batches.
extension StoreHarness {
    var providerBatches: any ProviderBatchStore {
        get throws { try #require(store as? any ProviderBatchStore) }
    }

    @discardableResult
    func enqueueHalfPrice(_ texts: String..., deadlineClass: Milliseconds? = nil) async throws -> [JobID] {
        try await enqueue(
            texts.map { text in
                try Sample.job(text) { job in
                    job.isHalfPrice = true
                    job.deadline = deadlineClass.map { now.timestamp + $0 }
                }
            })
    }

    /// Tends until there is a provider batch to see to, or nothing to do.
    func maintain(as owner: WorkerID? = nil) async throws -> ProviderBatch? {
        let request = BatchMaintenanceRequest(owner: owner ?? worker, terms: .sample)
        for _ in 0..<50 {
            let tending = try await providerBatches.maintain(request)
            if tending.providerBatch != nil || !tending.more { return tending.providerBatch }
        }
        Issue.record("tending has no end")
        return nil
    }

    func note(_ news: ProviderBatchReport, of providerBatch: ProviderBatch) async throws {
        try await providerBatches.note(news, of: providerBatch.id, owner: worker)
    }

    /// One that the provider has; the jobs must be there.
    func sent(as name: String = "msgbatch_1") async throws -> (ProviderBatch, [BatchedRequest]) {
        clock.advance(1000)
        let sealed = try #require(try await maintain())
        #expect(sealed.state == .sealed)
        #expect(try await providerBatches.beginSending(sealed.id, owner: worker))
        let requests = try await providerBatches.requests(of: sealed.id)
        try await note(.created(name), of: sealed)
        return (try #require(try await maintain()), requests)
    }

    /// What the provider says of one request.
    func result(_ outcome: Outcome, of key: AttemptKey, in providerBatch: ProviderBatch) async throws {
        let attempts = try await providerBatches.batched([key], to: providerBatch.id)
        guard let attempt = attempts.first else { return }
        try await meet(outcome, attempt)
    }

    /// All its results were read.
    func end(_ providerBatch: ProviderBatch) async throws {
        try await note(.ended, of: providerBatch)
        #expect(try await maintain() == nil)
    }
}

extension Sample {
    static let halfPriceAnswer: Outcome = {
        var answer = Sample.answer()
        answer.usage.isBatch = true
        return Outcome(.answer(answer))
    }()
    static let notProcessed = Outcome(.abandoned(sent: false))
}
