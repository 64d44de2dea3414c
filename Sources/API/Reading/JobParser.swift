import Crypto
import JSON
import Jobs

/// What an upload says for all its jobs; it counts if a job itself says nothing.
struct JobDefaults {
    var queue: String?
    var model: String?
    var system: String?
    var maxTokens: Int?
    var tags: [String]?
    var deadline: Timestamp?
    var processing: Processing?

    init() {}
}

/// Turns what was sent into a `NewJob`: read, checked and hashed.
struct JobParser {
    private let snapshot: SettingsSnapshot
    var settings: APISettings { snapshot.settings }
    var now: Timestamp
    var defaults = JobDefaults()
    var batch: BatchID?
    var idempotencyKey: String?
    private var betas: [String] = []

    init(_ snapshot: SettingsSnapshot, now: Timestamp, defaults: JobDefaults = JobDefaults()) {
        self.snapshot = snapshot
        self.now = now
        self.defaults = defaults
    }

    /// A request as the provider takes it, with what headers say of it.
    mutating func job(call request: JSON, _ terms: CallTerms) throws(Problem) -> NewJob {
        try MessagesRequest.demandObject(request, named: "")
        for name in ["temperature", "top_p", "top_k"]
        where request[name] != nil && terms.version.map({ $0 >= CallTerms.withoutSampling }) == true {
            throw Problem(
                .invalidField, "“\(name)” is no part of the API since version \(CallTerms.withoutSampling)",
                field: name)
        }
        var draft = terms.draft
        draft.request = request
        betas = terms.betas
        return try job(draft, said: request, form: "call", prefix: "", ordinal: 0)
    }

    /// A job object; `ordinal` is its place in its upload, from 0.
    func job(_ json: JSON, prefix: String = "", ordinal: Int) throws(Problem) -> NewJob {
        let draft = try JobDraft(json, prefix: prefix, now: now)
        return try job(draft, said: json, form: "", prefix: prefix, ordinal: ordinal)
    }

    /// A draft and what the caller said, in which form.
    func job(
        _ draft: JobDraft, said: JSON, form: String, prefix: String, ordinal: Int
    ) throws(Problem) -> NewJob {
        let name = form == "request" ? "request" : form == "call" ? "" : prefix + "request"
        var request = try request(of: draft, named: name)
        let asked = request.model
        let route = try settings.routes.route(
            for: asked, field: draft.request == nil || name.isEmpty ? prefix + "model" : name + ".model")
        if route.model != asked { try request.send(to: route.model) }
        let bound = CostBound(request: request.json)
        try checkCost(request, on: route, bound: bound, most: draft.maxCost, field: prefix + "max_cost_usd")
        var job = NewJob(
            queue: draft.queue ?? defaults.queue ?? "default", customID: draft.customID,
            priority: draft.priority ?? 0,
            runAt: draft.runAt, delay: draft.delay, deadline: draft.deadline ?? defaults.deadline,
            maxAttempts: draft.maxAttempts ?? settings.maxAttempts,
            cache: cacheMode(draft, request, bound), sample: draft.sample ?? 0,
            tags: draft.tags ?? defaults.tags ?? [],
            metadata: draft.metadata, request: request.bytes,
            route: route, requestedModel: asked, maxTokens: request.maxTokens,
            bound: bound, maxCost: draft.maxCost,
            promptHash: PromptHash(request: request.json, sample: draft.sample ?? 0, betas: betas),
            fingerprint: fingerprint(of: draft, said: said, form: form), batch: batch,
            idempotency: idempotencyKey.map { NewJob.Idempotency(key: $0, ordinal: ordinal) })
        job.check = try check(of: draft, request: request.json, named: prefix)
        job.refusesQueueCheck = draft.check?.bool == false
        job.betas = betas
        job.isHalfPrice = try isHalfPrice(
            job, request.json, draft.processing ?? defaults.processing, field: prefix + "processing")
        if bound.writes != .none { job.prefix = CachePrefix(request: request.json, betas: betas) }
        return job
    }

    /// What lives elsewhere may have changed by the next call, and what only fills the provider's cache must reach it.
    private func cacheMode(_ draft: JobDraft, _ request: MessagesRequest, _ bound: CostBound) -> CacheMode {
        guard settings.cacheEnabled, bound.isSelfContained, request.maxTokens > 0 else { return .off }
        return draft.cache ?? .use
    }

    /// Whether the job waits for a batch of its provider; refused if it is to, and cannot.
    private func isHalfPrice(
        _ job: NewJob, _ request: JSON, _ processing: Processing?, field: String
    ) throws(Problem) -> Bool {
        let terms = settings.halfPrice
        let start = max(now, job.runAt ?? now + (job.delay ?? 0))
        let refused = Self.refusedInBatches(request, maxTokens: job.maxTokens)
        let fits =
            job.betas.isEmpty && refused == nil
            && terms.takes(processing ?? .auto, of: job.route.service, deadline: job.deadline, at: start)
        guard processing == .batch, !fits else { return fits }
        let reason =
            !terms.services.contains(job.route.service)
            ? "\(job.route.service.provider) takes no batches"
            : !job.betas.isEmpty
                ? "beta features count for a whole batch, and not for one job"
                : refused.map { "“\($0)” is refused in batches of the provider" }
                    ?? "its deadline leaves less than the \(DurationText.text(terms.leastTime)) that a batch needs"
        throw Problem(
            .invalidField, "“processing” cannot be batch: \(reason); use auto or realtime", field: field)
    }

    /// What the provider refuses in the requests of a batch; nil if there is nothing.
    static func refusedInBatches(_ request: JSON, maxTokens: Int?) -> String? {
        if maxTokens == 0 { return "max_tokens: 0" }
        return HalfPriceTerms.refusedMembers.first { request[$0].map { !$0.isNull } ?? false }
    }

    /// A job that could cost more than it may is not taken in.
    private func checkCost(
        _ request: MessagesRequest, on route: RouteKey, bound: CostBound, most: Money?, field: String
    ) throws(Problem) {
        guard let most else { return }
        guard let price = settings.prices.price(of: route, at: now) else {
            throw Problem(
                .tooExpensive, "no price is known for \(request.model), so “max_cost_usd” cannot be kept",
                field: field)
        }
        guard let worst = price.worstCase(bound, maxTokens: Int64(request.maxTokens)) else {
            throw Problem(
                .tooExpensive,
                "nothing limits how often the model searches the web, so “max_cost_usd” cannot be kept: set max_uses of web_search",
                field: field)
        }
        guard worst > most else { return }
        throw Problem(
            .tooExpensive,
            "one call may cost $\(worst), and “max_cost_usd” is $\(most): a smaller max_tokens or a shorter prompt would help",
            field: field
        ).with("worst_case_usd", worst.description)
    }

    private func request(of draft: JobDraft, named name: String) throws(Problem) -> MessagesRequest {
        let system = try draft.system.map { (value) throws(Problem) in
            guard value.kind == .string || value.kind == .array else {
                throw Field(name: "system", value: value).refuse("a string or an array of text blocks")
            }
            return Array(value.raw)
        }
        let model = defaults.model ?? settings.model
        let maxTokens = defaults.maxTokens ?? settings.maxTokens
        if let request = draft.request {
            return try MessagesRequest(
                request, named: name,
                defaults: .init(model: model, maxTokens: maxTokens, system: defaultSystem))
        }
        return try MessagesRequest(
            prompt: draft.prompt ?? "", model: draft.model ?? model, maxTokens: draft.maxTokens ?? maxTokens,
            system: system ?? defaultSystem)
    }

    private var defaultSystem: [UInt8]? {
        defaults.system.map { system in
            var writer = JSONWriter()
            writer.string(system)
            return writer.bytes
        }
    }
}

extension JobParser {
    /// Over what the caller said, and not over this server's settings: those may change between two uploads.
    private func fingerprint(of draft: JobDraft, said: JSON, form: String) -> [UInt8] {
        var text: [UInt8] = []
        func add(_ name: String, _ value: String) {
            text.append(contentsOf: "\(name)=\(value.utf8.count):\(value)\n".utf8)
        }
        if !form.isEmpty { add("form", form) }
        if draft.queue == nil, let queue = defaults.queue { add("queue", queue) }
        if draft.tags == nil, let tags = defaults.tags { tags.forEach { add("tag", $0) } }
        let request = draft.request
        if draft.processing == nil, let processing = defaults.processing {
            add("processing", processing.rawValue)
        }
        if draft.model == nil, request?["model"] == nil, let model = defaults.model { add("model", model) }
        if draft.system == nil, request?["system"] == nil, let system = defaults.system {
            add("system", system)
        }
        if draft.maxTokens == nil, request?["max_tokens"] == nil, let maxTokens = defaults.maxTokens {
            add("max_tokens", String(maxTokens))
        }
        // How the answer travels makes no other call of it.
        // A null says no more than a member that is left out.
        let nulls = Set((said.members ?? []).filter(\.value.isNull).map(\.key))
        said.appendCanonical(
            to: &text, omitting: nulls, setting: form == "call" ? (key: "stream", value: "false") : nil)
        return SHA256.hash(text)
    }
}
