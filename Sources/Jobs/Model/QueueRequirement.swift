package import JSON

/// What every job of a queue must have; one that lacks it is refused when it would come in.
package struct QueueRequirement: Hashable, Sendable {
    /// A system prompt.
    package var system: Bool
    /// A check on its answer, its own or the queue's.
    package var check: Bool
    /// The most tokens that its prompt can be, computed from its bytes as by `CostBound`; nil for any length.
    package var maxInputTokens: Int?

    package init(system: Bool = false, check: Bool = false, maxInputTokens: Int? = nil) {
        self.system = system
        self.check = check
        self.maxInputTokens = maxInputTokens
    }
}

/// Why a queue does not take a job.
package struct QueueRefusal: Hashable, Sendable {
    package enum Lack: Hashable, Sendable {
        case system
        case check
        /// Its prompt can be so many tokens; nil if the request points elsewhere, so that their number is unknown.
        case inputTokens(Int64?, limit: Int)
    }

    package var queue: String
    package var lack: Lack

    package init(queue: String, lack: Lack) {
        self.queue = queue
        self.lack = lack
    }

    /// The requirement, what is wrong with the job, and how to fix it.
    package var explanation: String {
        "queue \(queue) requires \(requirement), or name another queue"
    }

    private var requirement: String {
        switch lack {
        case .system: "a system prompt, and the job has none: say “system” in its request"
        case .check:
            "a check on the answer, and neither the job nor the queue has one: say “check” in the job"
        case .inputTokens(let tokens?, let limit):
            "prompts of at most \(limit) input tokens, and this one can be \(tokens) (a byte of text counts as one): shorten or split it"
        case .inputTokens(nil, let limit):
            "prompts of at most \(limit) input tokens, and this one points to files, addresses or tools of unknown length: put the text into it"
        }
    }
}

extension QueueRequirement {
    /// What the job lacks; nil if it has all.
    package func lack(
        of job: NewJob, inQueueWithCheck queueHasCheck: Bool
    ) throws(JSONError) -> QueueRefusal.Lack? {
        if system, try !job.hasSystem() { return .system }
        if check, job.check == nil, job.refusesQueueCheck || !queueHasCheck { return .check }
        guard let limit = maxInputTokens else { return nil }
        guard let tokens = job.bound.inputTokens, tokens <= limit else {
            return .inputTokens(job.bound.inputTokens, limit: limit)
        }
        return nil
    }
}

extension NewJob {
    fileprivate func hasSystem() throws(JSONError) -> Bool {
        guard let system = try JSON.parse(request, maxDepth: JSON.deepest)["system"] else { return false }
        if let text = system.string { return !text.isEmpty }
        return (system.elements ?? []).contains { $0["text"]?.string?.isEmpty == false }
    }
}
