import HTTPServer
import JSON
import Jobs

/// `POST /v1/jobs`: one job, or a list that is taken as a whole or not at all.
extension API {
    func enqueue(_ call: Call) async throws -> Response {
        let parameters = try Parameters(call.head, known: ["wait", "batch"])
        let wait = try parameters.wait(limits: settings.limits)
        var reader = JobParser(snapshot, now: call.now.timestamp)
        reader.idempotencyKey = try IdempotencyKey.read(call.head)
        let body = try JSON.body(call.bytes, limits: settings.limits)
        let batchName = try parameters.line("batch", bytes: JobLimits.nameBytes)
        let isList = body["jobs"] != nil
        // Read before the batch is made, so that a mistake leaves nothing behind.
        var jobs = isList ? try list(body, reader: reader) : [try single(body, call: call, reader: reader)]
        if let batch = try await batchID(named: batchName) {
            for index in jobs.indices { jobs[index].batch = batch }
        }
        let taken = try await take(jobs)
        if let wait, wait > 0 { _ = try await waiters.wait(for: taken.map(\.id), milliseconds: wait) }
        return isList
            ? try await answer(list: taken, waited: wait != nil)
            : try await answer(taken[0], waited: wait != nil)
    }

    private func single(_ body: JSON, call: Call, reader: JobParser) throws -> NewJob {
        guard call.bytes.count <= settings.limits.jobBytes else {
            throw Problem(
                .bodyTooLarge, "one job may have at most \(settings.limits.jobBytes) bytes",
                limit: settings.limits.jobBytes)
        }
        return try reader.job(body, ordinal: 0)
    }

    private func list(_ body: JSON, reader: JobParser) throws -> [NewJob] {
        for field in try Fields(body, "the body") where field.name != "jobs" {
            throw Problem.unknownField(field, prefix: "", known: ["jobs"])
        }
        let most = settings.limits.listJobs
        if let jobs = body["jobs"] {
            try Field(name: "jobs", value: jobs).demandElements("an array of jobs", limit: most)
        }
        let elements = body["jobs"]?.elements ?? []
        guard elements.count <= most else {
            throw Problem(
                .tooManyJobs,
                "“jobs” has \(elements.count) jobs; at most \(most) go into one request: use /v1/jobs/bulk",
                field: "jobs", limit: most)
        }
        return try elements.enumerated().map { index, element in
            try reader.job(element, prefix: "jobs[\(index)].", ordinal: index)
        }
    }
}

/// A job that the store has taken, or had already.
private struct Taken {
    var id: JobID
    var isNew: Bool
    var job: NewJob

    var status: String { isNew ? "created" : "existing" }
}

extension API {
    private func take(_ jobs: [NewJob]) async throws -> [Taken] {
        let outcomes = try await store.enqueue(jobs, atomically: true)
        for (index, outcome) in outcomes.enumerated() {
            if let problem = Problem(outcome, prefix: jobs.count > 1 ? "jobs[\(index)]." : "") {
                throw problem
            }
        }
        return zip(jobs, outcomes).compactMap { job, outcome in
            outcome.id.map { id in
                var isNew = false
                if case .created = outcome { isNew = true }
                return Taken(id: id, isNew: isNew, job: job)
            }
        }
    }

    private func answer(_ taken: Taken, waited: Bool) async throws -> Response {
        let fresh = !waited && taken.isNew
        let job = fresh ? Job(taken.job, id: taken.id) : try await store.job(taken.id)
        guard let job else { throw Problem(.unknownJob, "the job was deleted in the meantime") }
        var headers = [(name: "location", value: "/v1/jobs/\(taken.id)")]
        if !taken.isNew { headers.append(("idempotent-replayed", "true")) }
        let isDone = job.state.isTerminal
        return .json(status: isDone ? 200 : 202, headers: headers) { writer in
            writer.job(job, bodies: isDone ? [.request, .response] : []) { $0.field("status", taken.status) }
        }
    }

    private func answer(list: [Taken], waited: Bool) async throws -> Response {
        var jobs: [(job: Job, status: String)] = []
        for taken in list {
            let fresh = !waited && taken.isNew
            let job = fresh ? Job(taken.job, id: taken.id) : try await store.job(taken.id)
            guard let job else { continue }
            jobs.append((job, taken.status))
        }
        let isDone = jobs.allSatisfy { $0.job.state.isTerminal }
        return .json(status: isDone ? 200 : 202) { writer in
            writer.page(jobs) { writer, entry in
                writer.job(entry.job, bodies: waited ? [.response] : []) { $0.field("status", entry.status) }
            }
        }
    }
}
