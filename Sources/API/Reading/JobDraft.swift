import JSON
import Jobs

/// A job as it was sent, each field checked by itself.
struct JobDraft {
    var queue: String?
    var customID: String?
    var priority: Int?
    var runAt: Timestamp?
    var delay: Milliseconds?
    var deadline: Timestamp?
    var processing: Processing?
    var maxAttempts: Int?
    var maxCost: Money?
    var cache: CacheMode?
    var sample: Int?
    var tags: [String]?
    var metadata: [UInt8]?
    var request: JSON?
    var prompt: String?
    var model: String?
    /// JSON: a string, or the provider's array of blocks.
    var system: JSON?
    var maxTokens: Int?
    /// JSON: an object, or false.
    var check: JSON?

    static let fields = [
        "queue", "custom_id", "priority", "run_at", "delay", "deadline", "processing", "max_attempts",
        "max_cost_usd",
        "cache",
        "sample", "tags",
        "metadata",
        "request", "prompt", "model", "system", "max_tokens", "check",
    ]

    init() {}

    /// `prefix` is what comes before the names of fields in messages.
    init(_ json: JSON, prefix: String, now: Timestamp) throws(Problem) {
        for field in try Fields(json, "a job", prefix: prefix) {
            try take(field, named: field.name.dropFirst(prefix.count), prefix: prefix, now: now)
        }
        try checkTogether(prefix: prefix)
    }

    private mutating func take(
        _ field: Field, named name: Substring, prefix: String, now: Timestamp
    ) throws(Problem) {
        switch name {
        case "queue": queue = try field.queueName()
        case "custom_id": customID = try field.line(bytes: JobLimits.customIDBytes)
        case "priority": priority = try field.integer(in: JobLimits.priority)
        case "run_at": runAt = try field.time()
        case "delay": delay = try field.duration()
        case "deadline": deadline = try field.timeOrDuration(now: now)
        case "processing": processing = try field.choice(Processing.self)
        case "max_attempts": maxAttempts = try field.integer(in: JobLimits.maxAttempts)
        case "max_cost_usd": maxCost = try field.money()
        case "cache": cache = try field.choice(CacheMode.self)
        case "sample": sample = try field.integer(in: JobLimits.sample)
        case "tags": tags = try field.tags()
        case "metadata": metadata = try field.metadata()
        case "request": request = field.value
        case "prompt": prompt = try field.text()
        case "model": model = try field.line(bytes: JobLimits.modelBytes)
        case "system": system = field.value
        case "max_tokens": maxTokens = try field.integer(in: JobLimits.maxTokens)
        case "check": check = field.value
        case "messages":
            throw .unknownField(
                field, prefix: prefix, known: [], hint: ": put the Messages request into “request”")
        default: throw .unknownField(field, prefix: prefix, known: Self.fields)
        }
    }

    private func checkTogether(prefix: String) throws(Problem) {
        if runAt != nil, delay != nil {
            throw Problem(
                .invalidField, "“run_at” and “delay” exclude each other: give one of them",
                field: prefix + "delay")
        }
        if request != nil, prompt != nil {
            throw Problem(
                .invalidField, "“request” and “prompt” exclude each other: give one of them",
                field: prefix + "prompt")
        }
        guard request == nil else {
            let stray =
                model != nil ? "model" : system != nil ? "system" : maxTokens != nil ? "max_tokens" : nil
            guard let stray else { return }
            throw Problem(
                .invalidField, "“\(stray)” goes into “request”; it stands beside “prompt” only",
                field: prefix + stray)
        }
        if prompt == nil {
            throw .missingField(
                prefix + "request", "a job needs “request”, a Messages API request, or “prompt”, a string")
        }
    }
}
