import Jobs

extension Problem {
    /// What is in the way of a job; nil if nothing does.
    ///
    /// `prefix` is what comes before the names of its fields.
    init?(_ outcome: EnqueueOutcome, prefix: String = "") {
        switch outcome {
        case .created, .existing:
            return nil
        case .customIDTaken(let id):
            self.init(
                .customIDTaken,
                "\(id) has this custom_id in this queue, with another body, and nothing was changed: give the new job another custom_id or queue, or read the answer of the first with `renga show \(id)`",
                field: prefix + "custom_id")
            members = [("id", id.description)]
        case .idempotencyMismatch(let id):
            self.init(
                .idempotencyMismatch,
                "this idempotency key made \(id), from another body; use a new key for a new job",
                field: "idempotency-key")
            members = [("id", id.description)]
            headers = [("x-should-retry", "false")]
        case .noSuchBatch:
            self.init(
                .unknownBatch,
                "there is no batch of this name or id that takes jobs: it never was, was deleted, or is one of the Message Batches API, which takes requests only when it is made",
                field: "batch")
        case .refused(let refusal):
            self.init(refusal, prefix: prefix)
        }
    }

    init(_ refusal: QueueRefusal, prefix: String = "") {
        let (requirement, field) =
            switch refusal.lack {
            case .system: ("system", "system")
            case .check: ("check", "check")
            case .inputTokens: ("max_input_tokens", "request")
            }
        self.init(.requirementUnmet, refusal.explanation, field: prefix + field)
        if case .inputTokens(_, let most) = refusal.lack { limit = most }
        members = [("queue", refusal.queue), ("requirement", requirement)]
    }
}

extension Job {
    /// A job in the moment of its making, told without asking the store again.
    init(_ new: NewJob, id: JobID) {
        let created = id.createdAt
        let runAt = new.runAt ?? new.delay.map { created + $0 } ?? created
        let waiting =
            if runAt > created {
                WaitingFor(reason: .schedule, detail: "not before its time", until: runAt)
            } else if new.isHalfPrice {
                WaitingFor(reason: .batch, detail: "goes out with the next batch")
            } else {
                WaitingFor(reason: .worker, detail: "a free slot of a worker")
            }
        self.init(
            id: id, customID: new.customID, queue: new.queue, state: .queued, priority: new.priority,
            tags: new.tags,
            metadata: new.metadata, batch: new.batch, createdAt: created, runAt: runAt, startedAt: nil,
            finishedAt: nil,
            deadline: new.deadline, attempt: 0, attemptsCounted: 0, maxAttempts: new.maxAttempts,
            cache: new.cache,
            lease: nil, waitingFor: waiting, request: nil, response: nil, error: nil, usage: nil, cost: .zero,
            saved: .zero, cached: false, sourceJob: nil, model: new.route.model,
            requestedModel: new.requestedModel,
            simulated: new.route.service.simulated)
        check = new.check.map { JobCheck(rules: $0.rules) }
        route = new.route.name
        isHalfPrice = new.isHalfPrice
    }
}
