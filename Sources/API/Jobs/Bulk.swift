import HTTPServer
import JSON
import Jobs
import Synchronization
import Telemetry

/// `POST /v1/jobs/bulk`: jobs, a line each, taken while they arrive and answered when all have come.
///
/// One portion of lines is read and hashed while the one before it is committed. What was committed stays, whatever
/// becomes of the upload.
extension API {
    func bulk(_ call: Call) async throws -> Response {
        let parameters = try Parameters(
            call.head,
            known: [
                "batch", "dry_run", "queue", "model", "system", "max_tokens", "tag", "deadline", "processing",
            ])
        let isDry = try parameters.flag("dry_run")
        var reader = JobParser(
            snapshot, now: call.now.timestamp,
            defaults: try defaults(parameters, now: call.now.timestamp))
        reader.idempotencyKey = try IdempotencyKey.read(call.head)
        if let name = try parameters.line("batch", bytes: JobLimits.nameBytes) {
            reader.batch =
                isDry
                ? try await store.batch(named: name)?.id : try await batchID(named: name)
        }
        var upload = BulkUpload(
            reader: reader, limits: settings.limits, memory: settings.bodyMemory,
            sink: isDry ? preview(call) : enqueueing(call))
        let answers = try await upload.read(call.body)
        return .ndjson { writer in try await Self.write(answers, to: writer) }
    }

    private func defaults(_ parameters: Parameters, now: Timestamp) throws -> JobDefaults {
        var defaults = JobDefaults()
        defaults.queue = try parameters.queueName("queue")
        defaults.model = try parameters.line("model", bytes: JobLimits.modelBytes)
        defaults.system = parameters["system"]
        defaults.maxTokens = try parameters.integer("max_tokens", in: JobLimits.maxTokens)
        defaults.tags = try parameters.line("tag", bytes: JobLimits.tagBytes).map { [$0] }
        defaults.processing = try parameters.choice("processing", Processing.self)
        defaults.deadline = try parameters.timeOrDuration("deadline", now: now)
        return defaults
    }

    private static func write(_ answers: BulkAnswers, to writer: ResponseWriter) async throws {
        var lines = JSONWriter()
        for line in 0..<answers.count {
            answers.write(line, to: &lines)
            if lines.bytes.count >= 64 << 10 || line == answers.count - 1 {
                try await writer.write(lines.bytes)
                lines = JSONWriter()
            }
        }
    }
}

extension API {
    /// Not atomically: a job that cannot be taken does not spoil its neighbours.
    private func enqueueing(_ call: Call) -> BulkUpload.Sink {
        { [store, log] jobs in
            do {
                let outcomes = try await store.enqueue(jobs, atomically: false)
                return outcomes.map(Self.answer)
            } catch {
                log.error(
                    "portion of an upload failed", ["request_id": "\(call.head.id)", "error": "\(error)"])
                throw error
            }
        }
    }

    private static func answer(_ outcome: EnqueueOutcome) -> BulkAnswers.Answer {
        switch outcome {
        case .created(let id): .created(id)
        case .existing(let id): .existing(id)
        case .customIDTaken, .idempotencyMismatch, .noSuchBatch, .refused:
            .failed(Problem(outcome) ?? Problem(.internal, "the line was not taken"))
        }
    }

    private func preview(_ call: Call) -> BulkUpload.Sink {
        let seen = SeenPrompts()
        return { [store, settings] jobs in
            try await zip(jobs, store.preview(jobs)).map { job, preview in
                switch preview {
                case .new(let estimate):
                    if let deadline = job.deadline, deadline <= call.now.timestamp {
                        .expired
                    } else if seen.isNew(job) {
                        settings.forecast(of: job, estimate, now: call.now.timestamp)
                    } else {
                        .duplicate
                    }
                case .cached where job.deadline.map({ $0 <= call.now.timestamp }) == true: .expired
                case .cached(let saves): .cached(saves: saves)
                case .existing(let id): .existing(id)
                case .conflict(let id): .conflict(id)
                case .refused(let refusal): .failed(Problem(refusal))
                }
            }
        }
    }

}

extension APISettings {
    /// What a call for the job can cost at most, and what it is expected to cost.
    fileprivate func forecast(
        of job: NewJob, _ estimate: CallEstimate, now: Timestamp
    ) -> BulkAnswers.Answer {
        let isHalf = job.isHalfPrice
        guard let price = prices.price(of: job.route, at: now) else {
            let meant = Suggestion.text(
                for: job.requestedModel, among: routes.names + [model] + PriceTable.models)
            return .unpriced("no price is known for \(job.requestedModel.prefix(100))\(meant)")
        }
        guard let most = price.worstCase(job.bound, maxTokens: Int64(job.maxTokens), isBatch: isHalf) else {
            return .unpriced(
                "nothing limits how often the model searches the web: set max_uses of web_search")
        }
        let usage = Usage(
            inputTokens: estimate.inputTokens, outputTokens: estimate.outputTokens, isBatch: isHalf)
        return .new(atMost: most, about: min(most, price.cost(of: usage)), isHalfPrice: isHalf)
    }
}

/// The prompts of a dry run so far, by eight bytes of their hashes.
private final class SeenPrompts: Sendable {
    private let seen = Mutex<Set<UInt64>>([])

    /// False for a prompt that was there before and whose answer this job would share.
    func isNew(_ job: NewJob) -> Bool {
        guard job.cache == .use else { return true }
        let short = job.promptHash.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return seen.withLock { $0.insert(short).inserted }
    }
}
