package import Jobs

/// A provider batch as its owner may speak of it.
package struct OwnedBatch: Sendable {
    package let id: Int64
    package let state: ProviderBatch.State
    /// How often the provider's list did not have it.
    package let misses: Int

    package init(id: Int64, state: ProviderBatch.State, misses: Int) {
        self.id = id
        self.state = state
        self.misses = misses
    }

    package var mayBeSent: Bool { state == .sealed }
}

extension ProviderBatchReport {
    /// The request for whose sake the provider refuses the batch: it leaves before the report is noted.
    package var refusedRequest: AttemptKey? {
        if case .unsuitable(let key, _) = self { key } else { nil }
    }
}

// The states of a provider batch, and its way from one to the next.
extension Delta {
    /// Says that it is about to be sent; false if no request of it is left.
    package mutating func send(_ batch: OwnedBatch, requests: Int) -> Bool {
        guard requests > 0 else {
            lose(batch)
            return false
        }
        add(.providerBatch(batch.id, .send(requests: requests)))
        return true
    }

    /// Notes what the owner learned, and lets go of it.
    ///
    /// `jobs` are those that are out with it, in order; asked for only if it is divided.
    package mutating func note(
        _ report: ProviderBatchReport, of batch: OwnedBatch, jobs: () throws -> [Int64],
        using random: inout some RandomNumberGenerator
    ) rethrows {
        if case .tooLarge = report { split(batch, try jobs(), using: &random) }
        if case .stranger = report { add(.providerBatch(batch.id, .rejectID)) }
        if case .missing = report { add(.providerBatch(batch.id, .countMiss)) }
        add(.providerBatch(batch.id, .enter(report.step(of: batch))))
    }

    /// Mostly nothing is left of it, and the next run ends it.
    private mutating func lose(_ batch: OwnedBatch) {
        add(.providerBatch(batch.id, .enter(BatchStep(.lost))))
    }

    /// The later half of what is out with it goes with another.
    private mutating func split(
        _ batch: OwnedBatch, _ jobs: [Int64], using random: inout some RandomNumberGenerator
    ) {
        guard jobs.count > 1 else { return }
        let token = String(UInt64.random(in: 0...(.max), using: &random), radix: 36)
        add(.providerBatch(batch.id, .split(token: token, from: jobs[jobs.count / 2])))
    }
}

extension ProviderBatchReport {
    fileprivate func step(of batch: OwnedBatch) -> BatchStep {
        switch self {
        case .created(let id): BatchStep(.away, providerID: id)
        case .unsent(let error, let after): BatchStep(.sealed, after: after, error: error)
        case .unknown(let error, let after): BatchStep(.creating, after: after, error: error)
        // Missed twice, it was never made.
        case .missing(let after): BatchStep(batch.misses > 0 ? .sealed : .creating, after: after)
        case .pending(let after): BatchStep(batch.state, after: after)
        case .recalled(let after): BatchStep(.recalled, after: after)
        case .lookFailed(let error, let after): BatchStep(batch.state, after: after, error: error)
        case .stranger: BatchStep(.creating)
        case .undeliverable(let error): BatchStep(.returning, error: error)
        case .unsuitable(_, let error): BatchStep(.sealed, error: error)
        case .tooLarge(let error): BatchStep(.sealed, error: error)
        case .lost(let error): BatchStep(.lost, error: error)
        case .ended: BatchStep(.lost)
        }
    }
}
