import HTTPServer
import JSON
import Jobs

/// `POST /v1/jobs/cancel` and `/retry`: many jobs at once, by filter.
extension API {
    func cancelJobs(_ call: Call) async throws -> Response {
        let change = try await massChange(call, fields: [])
        return try await change.carriedOut(on: [.queued, .running, .review]) { filter, last, limit in
            try await self.store.cancel(filter, after: last, limit: limit)
        }
    }

    func retryJobs(_ call: Call) async throws -> Response {
        var change = try await massChange(call, fields: ["set"])
        change.sparesPublished = true
        // What is changed where it is comes first: reopened jobs are queued, and would be changed twice.
        let states: [JobState] = (change.set.isEmpty ? [] : [.queued]) + [.failed, .cancelled]
        return try await change.carriedOut(on: states) { filter, last, limit in
            try await self.store.retry(filter, change: change.set, after: last, limit: limit)
        }
    }

    private func massChange(_ call: Call, fields: [String]) async throws -> FilteredChange {
        _ = try Parameters(call.head, known: [])
        var change = FilteredChange(store: store, chunk: settings.limits.changeChunk)
        for field in try Fields(try JSON.body(call.bytes, limits: settings.limits), "the body") {
            switch field.name {
            case "dry_run": change.isDry = try field.flag()
            case "all": change.isAll = try field.flag()
            case "set" where fields.contains("set"): change.set = try retryChange(field)
            default:
                guard try await take(field, into: &change.filter) else {
                    throw Problem.unknownField(
                        field, prefix: "", known: FilterFields.names + ["dry_run", "all"] + fields)
                }
            }
        }
        guard change.isAll != (change.filter != JobFilter()) else {
            throw Problem(
                .invalidField,
                "name the jobs with \(FilterFields.names.joined(separator: ", ")), or all with \"all\":true",
                field: "all")
        }
        return change
    }
}

/// A change of all jobs that a filter finds and that are in a state for it.
private struct FilteredChange {
    let store: any Changing & Reading
    let chunk: Int
    var filter = JobFilter()
    var isAll = false
    var isDry = false
    var set = RetryChange()
    /// Whether ended jobs of message batches stay as they are.
    var sparesPublished = false

    /// `{"count":…}`: how many were changed, or would be.
    func carriedOut(
        on states: [JobState], _ change: (JobFilter, JobID?, Int) async throws -> MassChange
    ) async throws -> Response {
        var total = 0
        for state in states where filter.state == nil || filter.state == state {
            var filter = filter
            filter.state = state
            filter.isUnpublished = sparesPublished && state.isTerminal
            // What is changed may be back in its state at once; the count at the beginning bounds the work.
            let count = try await store.count(filter)
            total += isDry ? count : try await repeated(filter, upTo: count, change)
        }
        return .json { writer in
            writer.object { writer in
                writer.field("count", total)
                writer.field("dry_run", isDry)
            }
        }
    }

    private func repeated(
        _ filter: JobFilter, upTo count: Int, _ change: (JobFilter, JobID?, Int) async throws -> MassChange
    ) async throws -> Int {
        var total = 0
        var last: JobID?
        for start in stride(from: 0, to: count, by: chunk) {
            try Task.checkCancellation()
            let changed = try await change(filter, last, min(chunk, count - start))
            // Some that were found may have been refused.
            total += changed.count
            guard changed.last != nil else { break }
            last = changed.last
        }
        return total
    }
}
