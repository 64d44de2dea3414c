import HTTPServer
import JSON
import Jobs

/// `/v1/jobs/{id}` and what can be done to one job.
extension API {
    func showJob(_ call: Call) async throws -> Response {
        let parameters = try Parameters(call.head, known: ["wait"])
        let wait = try parameters.wait(limits: settings.limits)
        let id = try jobID(call)
        var job = try await store.job(id)
        if let wait, wait > 0, let found = job, !found.state.isAtRest {
            try await waitForRest([id], milliseconds: wait)
            job = try await store.job(id)
        }
        guard let job else { throw Self.unknownJob(id.description) }
        return .json { $0.job(job) }
    }

    func listAttempts(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let id = try jobID(call)
        guard let attempts = try await store.attempts(of: id) else { throw Self.unknownJob(id.description) }
        return .json { $0.page(attempts) { $0.attempt($1) } }
    }

    func cancelJob(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let id = try jobID(call)
        if !call.bytes.isEmpty { try checkEmpty(try JSON.body(call.bytes, limits: settings.limits)) }
        return try await answer(try await store.cancel(id), to: "cancel", id: id, call: call)
    }

    /// Takes `{"set":{"model":…,"route":…,"max_tokens":…}}`, or nothing.
    func retryJob(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let id = try jobID(call)
        var change = RetryChange()
        if !call.bytes.isEmpty {
            for field in try Fields(try JSON.body(call.bytes, limits: settings.limits), "the body") {
                guard field.name == "set" else {
                    throw Problem.unknownField(field, prefix: "", known: ["set"])
                }
                change = try retryChange(field)
            }
        }
        return try await answer(try await store.retry(id, change: change), to: "retry", id: id, call: call)
    }

    func retryChange(_ set: Field) throws -> RetryChange {
        var change = RetryChange()
        for field in try Fields(set.value, "“set”", prefix: "set.") {
            switch field.name {
            case "set.model":
                let model = try field.line(bytes: JobLimits.modelBytes)
                change.route = try settings.routes.route(for: model, field: field.name)
                change.requestedModel = model
            case "set.route":
                let name = try field.line(bytes: JobLimits.modelBytes)
                guard let route = settings.routes.route(named: name) else {
                    let names = settings.routes.names.joined(separator: ", ")
                    throw Problem(
                        .invalidField,
                        "“\(name.prefix(100))” is no route; \(names.isEmpty ? "one is written provider/model" : "there are \(names)")",
                        field: field.name)
                }
                change.route = route
                change.requestedModel = name
            case "set.max_tokens": change.maxTokens = try field.integer(in: JobLimits.maxTokens)
            default:
                throw Problem.unknownField(field, prefix: "set.", known: ["model", "route", "max_tokens"])
            }
        }
        return change
    }
}

extension API {
    func jobID(_ call: Call) throws -> JobID {
        guard let id = JobID(call.parameters[0]) else { throw Self.unknownJob(call.parameters[0]) }
        return id
    }

    static func unknownJob(_ id: String) -> Problem {
        Problem(
            .unknownJob,
            "there is no job “\(id.prefix(60))”: it never was, or was deleted after its retention")
    }

    private func checkEmpty(_ body: JSON) throws {
        for field in try Fields(body, "the body") { throw Problem.unknownField(field, prefix: "", known: []) }
    }

    func answer(_ outcome: ChangeOutcome, to verb: String, id: JobID, call: Call) async throws
        -> Response
    {
        switch outcome {
        case .changed:
            guard let job = try await store.job(id) else {
                throw Self.unknownJob(id.description)
            }
            return .json { $0.job(job) }
        case .refused(let state):
            let isPublished = verb == "retry" && (state == .failed || state == .cancelled)
            let reason =
                isPublished
                ? "the job's batch is one of the Message Batches API, whose results do not change any more: send the request again as a new job"
                : "the job is \(state == .review ? "in review" : state.rawValue): there is nothing to \(verb)"
            throw Problem(.wrongState, reason).with("state", state.rawValue)
        case .unknown:
            throw Self.unknownJob(id.description)
        }
    }
}
