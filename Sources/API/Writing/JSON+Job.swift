import JSON
import Jobs

extension JSONWriter {
    /// A job as people see it; bodies that were not asked for are left out, not null.
    ///
    /// `extra` writes further members at the end.
    mutating func job(
        _ job: Job, bodies: Bodies = [.request, .response], extra: (inout JSONWriter) -> Void = { _ in }
    ) {
        object { writer in
            writer.identity(of: job)
            writer.progress(of: job)
            if bodies.contains(.request) { writer.field("request", raw: job.request) }
            if bodies.contains(.response) {
                // Of a job that goes on after a failed check, the next answer counts.
                let response = job.state.isAtRest ? job.response : nil
                writer.field("text", response.flatMap(answerText))
                writer.field("response", raw: response)
            }
            writer.outcome(of: job)
            extra(&writer)
        }
    }

    private mutating func identity(of job: Job) {
        field("id", job.id.description)
        field("custom_id", job.customID)
        field("queue", job.queue)
        field("state", job.state.rawValue)
        field("priority", job.priority)
        strings("tags", job.tags)
        field("metadata", raw: job.metadata)
        field("batch_id", job.batch?.description)
        field("cache", job.cache.rawValue)
        field("processing", (job.isHalfPrice ? Processing.batch : .realtime).rawValue)
    }

    private mutating func progress(of job: Job) {
        time("created_at", job.createdAt)
        time("run_at", job.runAt)
        time("started_at", job.startedAt)
        time("finished_at", job.finishedAt)
        time("deadline", job.deadline)
        field("attempt", job.attempt)
        field("attempts_counted", job.attemptsCounted)
        field("max_attempts", job.maxAttempts)
        optional("lease", job.lease) { writer, lease in
            writer.field("worker", lease.worker)
            writer.time("until", lease.until)
        }
        waitingFor("waiting_for", job.waitingFor)
    }

    private mutating func outcome(of job: Job) {
        error("error", job.error)
        check(of: job)
        usage("usage", job.usage)
        money("cost_usd", job.cost)
        money("saved_usd", job.saved)
        field("cached", job.cached)
        field("source_job_id", job.sourceJob?.description)
        field("model", job.model)
        field("route", job.route)
        field("requested_model", job.requestedModel)
        if job.simulated { field("simulated", true) }
    }
}

/// The text blocks of a Message, joined; nil if it is none.
func answerText(_ response: [UInt8]) -> String? {
    guard let blocks = (try? JSON.parse(response, maxDepth: JSON.deepest))?["content"]?.elements else {
        // Stored answers are the provider's own; one that is no Message simply has no text.
        return nil
    }
    return blocks.lazy.filter { $0["type"]?.string == "text" }.compactMap { $0["text"]?.string }.joined()
}
