import HTTPServer
import JSON
import Jobs

/// `/v1/queues`.
extension API {
    func listQueues(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let queues = try await store.queues()
        return .json { $0.page(queues) { $0.queue($1) } }
    }

    /// A queue that nobody has used yet is an empty one.
    func showQueue(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let name = try queueName(call)
        let queue =
            try await store.queue(name)
            ?? QueueStatus(
                name: name, paused: false, concurrency: nil,
                weight: JobLimits.standardWeight,
                counts: StateCounts())
        return .json { $0.queue(queue) }
    }

    func updateQueue(_ call: Call) async throws -> Response {
        let mayCreate = try Parameters(call.head, known: ["create"]).flag("create")
        let name = try queueName(call)
        let body = try JSON.body(call.bytes, limits: settings.limits)
        var patch = QueuePatch()
        // Here null means something: no limit, no check, nothing required.
        if body["concurrency"]?.isNull == true { patch.concurrency = .some(nil) }
        if body["check"]?.isNull == true { patch.check = .some(nil) }
        if body["requirements"]?.isNull == true { patch.requirement = QueueRequirement() }
        for field in try Fields(body, "the body") {
            switch field.name {
            case "requirements": patch.requirement = try QueueRequirement(field)
            case "check":
                patch.check = .some(try NewCheck.read(field.value, named: "check", settings).1)
            case "paused": patch.paused = try field.flag()
            case "concurrency": patch.concurrency = .some(try field.integer(in: JobLimits.concurrency))
            case "weight": patch.weight = try field.integer(in: JobLimits.weight)
            default:
                throw Problem.unknownField(
                    field, prefix: "", known: ["paused", "concurrency", "weight", "check", "requirements"])
            }
        }
        if !mayCreate { try await demandQueue(name) }
        let queue = try await store.update(queue: name, patch)
        return .json { $0.queue(queue) }
    }

    /// Queues that jobs come into whose callers name none: they are there before the first job.
    private static let standingQueues = ["default", CallTerms.queue, batchQueue]

    /// A misspelt name must not make a queue, and leave the one that was meant as it is.
    private func demandQueue(_ name: String) async throws {
        guard !Self.standingQueues.contains(name), try await store.queue(name) == nil else { return }
        let known = try await store.queues().map(\.name)
        throw Problem(
            .unknownQueue,
            "there is no queue “\(name)”\(Suggestion.text(for: name, among: known + Self.standingQueues)); GET /v1/queues lists them, and ?create=true makes it"
        )
    }

    private func queueName(_ call: Call) throws -> String {
        let name = call.parameters[0]
        guard Text.isQueueName(name) else {
            throw Problem(
                .invalidParameter, "a queue's name must be \(Text.queueNameExpectation)", field: "name",
                limit: JobLimits.nameBytes.upperBound)
        }
        return name
    }
}

extension QueueRequirement {
    fileprivate init(_ said: Field) throws(Problem) {
        self.init()
        for field in try Fields(said.value, "“\(said.name)”", prefix: said.name + ".") {
            switch field.name.dropFirst(said.name.count + 1) {
            case "system": system = try field.flag()
            case "check": check = try field.flag()
            case "max_input_tokens": maxInputTokens = try field.integer(in: JobLimits.maxTokens)
            default:
                throw Problem.unknownField(
                    field, prefix: said.name + ".", known: ["system", "check", "max_input_tokens"])
            }
        }
    }
}

/// `/v1/routes`.
extension API {
    func listRoutes(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let routes = try await store.routes()
        return .json { $0.page(routes) { $0.route($1) } }
    }

    func updateRoute(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let name = call.parameters[0]
        var paused: Bool?
        for field in try Fields(try JSON.body(call.bytes, limits: settings.limits), "the body") {
            guard field.name == "paused" else {
                throw Problem.unknownField(field, prefix: "", known: ["paused"])
            }
            paused = try field.flag()
        }
        guard let paused else { throw Problem.missingField("paused", "say “paused”: true or false") }
        guard let route = try await store.update(route: name, paused: paused) else {
            let known = try await store.routes().map(\.name)
            throw Problem(
                .unknownRoute,
                "there is no route “\(name.prefix(200))”\(Suggestion.text(for: name, among: known)); GET /v1/routes lists them"
            )
        }
        return .json { $0.route(route) }
    }
}
