import HTTPServer
import Jobs

/// `GET /v1/jobs`.
extension API {
    func listJobs(_ call: Call) async throws -> Response {
        let parameters = try Parameters(
            call.head, known: FilterFields.names + ["limit", "cursor", "include"])
        let filter = try await self.filter(parameters)
        let limit = try parameters.pageLimit(settings.limits)
        let bodies = try parameters.bodies()
        let cursor = try parameters["cursor"].map { text in
            guard let id = JobID(text) else {
                throw parameters.refuse("cursor", "what an answer's “next_cursor” said")
            }
            return id
        }
        let pageBytes = settings.limits.pageBytes
        let read: @Sendable (any ListReading) async throws -> (jobs: [Job], more: Bool) = { lists in
            try await lists.page(filter, before: cursor, limit: limit, bodies: bodies, bytes: pageBytes)
        }
        let found = filter.wantsLatest ? Dated(try await read(store)) : try await store.lists(read)
        let (jobs, more) = found.value
        return .json { writer in
            writer.page(jobs, next: more ? jobs.last?.id.description : nil, asOf: found.asOf) {
                $0.job($1, bodies: bodies)
            }
        }
    }

}

extension ListReading {
    /// One page; with bodies it is read in portions, and ends early when they grow too large together.
    fileprivate func page(
        _ filter: JobFilter, before: JobID?, limit: Int, bodies: Bodies, bytes limitBytes: Int
    ) async throws -> (jobs: [Job], more: Bool) {
        let portion = bodies.isEmpty ? limit + 1 : 20
        var found: [Job] = []
        var bytes = 0
        while found.count <= limit, bytes < limitBytes {
            let some = try await jobs(
                filter, before: found.last?.id ?? before, limit: min(portion, limit + 1 - found.count),
                bodies: bodies)
            found += some
            bytes += some.reduce(0) { $0 + ($1.request?.count ?? 0) + ($1.response?.count ?? 0) }
            if some.count < min(portion, limit + 1 - found.count + some.count) { return (found, false) }
        }
        return (Array(found.prefix(limit)), true)
    }
}

/// Which jobs, by the same names in the query of a list and in the body of a change.
enum FilterFields {
    static let names = [
        "state", "queue", "batch_id", "custom_id", "tag", "model", "error_type", "created_after",
        "created_before",
    ]
}

extension API {
    func filter(_ parameters: Parameters) async throws -> JobFilter {
        var filter = JobFilter(
            state: try parameters.choice("state", JobState.self), queue: try parameters.queueName("queue"),
            customID: try parameters.line("custom_id", bytes: JobLimits.customIDBytes),
            tag: try parameters.line("tag", bytes: JobLimits.tagBytes),
            model: try parameters.line("model", bytes: JobLimits.modelBytes),
            errorType: try parameters.line("error_type", bytes: JobLimits.nameBytes),
            createdAfter: try parameters.time("created_after"),
            createdBefore: try parameters.time("created_before"))
        if let batch = parameters["batch_id"] { filter.batch = try await self.batch(batch).id }
        return filter
    }

    /// Takes one member of a change's body; false if it is no part of a filter.
    func take(_ field: Field, into filter: inout JobFilter) async throws -> Bool {
        switch field.name {
        case "state": filter.state = try field.choice(JobState.self)
        case "queue": filter.queue = try field.queueName()
        case "batch_id": filter.batch = try await batch(try field.text()).id
        case "custom_id": filter.customID = try field.line(bytes: JobLimits.customIDBytes)
        case "tag": filter.tag = try field.line(bytes: JobLimits.tagBytes)
        case "model":
            let model = try field.line(bytes: JobLimits.modelBytes)
            filter.model = settings.routes.route(for: model)?.model ?? model
        case "error_type": filter.errorType = try field.line(bytes: JobLimits.nameBytes)
        case "created_after": filter.createdAfter = try field.time()
        case "created_before": filter.createdBefore = try field.time()
        default: return false
        }
        return true
    }
}
