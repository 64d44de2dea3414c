import Jobs
import Testing

extension HalfPriceTerms {
    /// Short enough for a clock turned by hand: jobs with ten minutes left may go, and are called back five before.
    static let sample: HalfPriceTerms = {
        var terms = HalfPriceTerms(services: [Sample.service])
        terms.gather = 1000
        terms.poll = 1000
        terms.reserve = 300_000
        return terms
    }()
}

/// What a worker does that sends jobs with the provider's batches.
extension Bench {
    var consignments: any ConsignmentStore {
        get throws { try #require(store as? any ConsignmentStore) }
    }

    @discardableResult
    func enqueueHalfPrice(_ texts: String..., room: Milliseconds? = nil) async throws -> [JobID] {
        try await enqueue(
            texts.map { text in
                try Sample.job(text) { job in
                    job.isHalfPrice = true
                    job.deadline = room.map { now.timestamp + $0 }
                }
            })
    }

    /// Tends until there is a consignment to see to, or nothing to do.
    func tend(as keeper: WorkerID? = nil) async throws -> Consignment? {
        let request = TendRequest(keeper: keeper ?? worker, terms: .sample)
        for _ in 0..<50 {
            let tending = try await consignments.tend(request, now: now)
            if tending.consignment != nil || !tending.more { return tending.consignment }
        }
        Issue.record("tending has no end")
        return nil
    }

    func note(_ news: ConsignmentNews, of consignment: Consignment) async throws {
        try await consignments.note(news, of: consignment.id, keeper: worker, now: now)
    }

    /// One that the provider has; the jobs must be there.
    func sent(as name: String = "msgbatch_1") async throws -> (Consignment, [ConsignedRequest]) {
        clock.advance(1000)
        let sealed = try #require(try await tend())
        #expect(sealed.state == .sealed)
        #expect(try await consignments.beginSending(sealed.id, keeper: worker, now: now))
        let requests = try await consignments.requests(of: sealed.id)
        try await note(.created(name), of: sealed)
        return (try #require(try await tend()), requests)
    }

    /// What the provider says of one request.
    func result(_ outcome: Outcome, of key: AttemptKey, in consignment: Consignment) async throws {
        let attempts = try await consignments.consigned([key], to: consignment.id)
        guard let attempt = attempts.first else { return }
        try await meet(outcome, attempt)
    }

    /// All its results were read.
    func end(_ consignment: Consignment) async throws {
        try await note(.ended, of: consignment)
        #expect(try await tend() == nil)
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
