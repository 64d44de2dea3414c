package import JSON
package import Jobs

/// What is sent for a job now: its own request, or the one that followed an answer which failed its check.
///
/// The one value for all who ask: what a claim sends, what the cache and identical prompts are asked by, what budgets reserve
/// for, and what a change changes.
package struct SentRequest: Sendable {
    package let job: Int64
    /// As it came in; a retry begins again with it.
    package private(set) var own: [UInt8]
    /// After a failed check.
    package private(set) var next: [UInt8]?
    package let betas: [String]
    /// What the answer must be.
    package let check: OpenCheck?
    /// Whether its caller named it with an idempotency key.
    package let isKeyed: Bool
    private let sample: Int

    package init(
        job: Int64, own: [UInt8], next: [UInt8]?, betas: [String], check: OpenCheck?, isKeyed: Bool,
        sample: Int
    ) {
        self.job = job
        self.own = own
        self.next = next
        self.betas = betas
        self.check = check
        self.isKeyed = isKeyed
        self.sample = sample
    }

    package var bytes: [UInt8] { next ?? own }
}

// MARK: - Changing

extension SentRequest {
    /// Another request takes its place for the next call; the job's own stays for a retry.
    package mutating func follow(with request: [UInt8], source: String) throws -> Change {
        next = request
        return .request(job, .followed(request, source: source), try facts())
    }

    /// Back to the job's own; nil if nothing else is sent.
    package mutating func beginAgain() throws -> Change? {
        guard next != nil else { return nil }
        next = nil
        return .request(job, .beganAgain, try facts())
    }

    /// The change holds for the next call, and for all that a retry begins again with.
    package mutating func change(_ change: (JSON) throws -> [UInt8]) throws -> Change {
        own = try change(JSON.parse(own, maxDepth: JSON.deepest))
        next = try next.map { try change(JSON.parse($0, maxDepth: JSON.deepest)) }
        return .request(job, .changed(own: own, next: next), try facts())
    }

    /// What a claim must know of it without reading it.
    private func facts() throws -> RequestFacts {
        let json = try JSON.parse(bytes, maxDepth: JSON.deepest)
        // A longer request may cost more: what budgets reserve for it follows.
        let bound = CostBound(request: json)
        return RequestFacts(
            bytes: bytes.count, promptHash: PromptHash(request: json, sample: sample, betas: betas).bytes,
            bound: bound,
            prefix: bound.writes == .none ? nil : CachePrefix(request: json, betas: betas))
    }
}

/// What is known of a request without its bytes.
package struct RequestFacts: Sendable {
    package let bytes: Int
    package let promptHash: [UInt8]
    package let bound: CostBound
    package let prefix: CachePrefix?
}

/// How another request came in a job's place.
package enum RequestChange: Sendable {
    /// After an answer that failed its check; `source` is the step's word.
    case followed([UInt8], source: String)
    case beganAgain
    case changed(own: [UInt8], next: [UInt8]?)
}
