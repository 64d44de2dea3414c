package import HTTPServer
package import Jobs
import Synchronization
package import Telemetry

/// What the API uses of a store.
package typealias APIStore = Enqueueing & Changing & Reading

/// The HTTP API: a request in, an answer out, and no socket anywhere.
///
/// `Endpoint.all` lists what there is, a file per resource says what it does, `Problem.Kind` holds every way of saying
/// no. Only `Waiters` outlives a request.
package final class API: Handler {
    let store: any APIStore
    private let terms: Mutex<SettingsSnapshot>
    let log: Log
    let waiters: Waiters
    let readiness: Readiness
    /// Does the jobs of callers who wait; without it they are refused.
    let interactive: (any InteractiveQueue)?
    /// Keeps batches of the compatible API; without it they are refused.
    let batches: (any MessageBatchStore)?
    let repeats = Repeats()
    private let callers: ClientLimits

    package init(
        store: any APIStore, settings: APISettings, log: Log,
        interactive: (any InteractiveQueue)? = nil,
        batches: (any MessageBatchStore)? = nil
    ) {
        self.interactive = interactive
        self.batches = batches
        callers = ClientLimits(
            perMinute: settings.clientRequestsPerMinute, atOnce: settings.clientRequestsAtOnce)
        self.store = store
        terms = Mutex(SettingsSnapshot(settings))
        self.log = log
        waiters = Waiters(store: store, log: log)
        readiness = Readiness(store: store, log: log)
    }

    var settings: APISettings { snapshot.settings }

    /// The settings as they are now, at the cost of a reference.
    var snapshot: SettingsSnapshot { terms.withLock { $0 } }

    /// Has requests that come from now on go by other routes and prices.
    package func goBy(_ change: (inout APISettings) -> Void) {
        terms.withLock { terms in
            var settings = terms.settings
            change(&settings)
            terms = SettingsSnapshot(settings)
        }
    }

    /// Watches the store for those who wait for jobs; ends when its task is cancelled.
    ///
    /// Without it `wait` parameters are answered only when their time is up.
    package func run() async {
        async let tidying: Void = discardBrokenUploads()
        await waiters.run()
        await tidying
    }

    package func receive(_ head: RequestHead) -> Reception {
        let entry = Result { () throws(Problem) in try enter(head) }
        // Whoever may not call is answered without reading much.
        guard case .success(let found) = entry, case .found(let endpoint, _) = found.found else {
            return Reception(body: .collect(limit: settings.limits.formBytes)) { [self] request in
                await respond(to: request, entry)
            }
        }
        // Who waits for jobs gets their answers, however large they are.
        let isBrief = endpoint.isBrief && head.query.isEmpty
        return Reception(body: endpoint.body.policy(settings.limits), isBrief: isBrief) { [self] request in
            await respond(to: request, entry)
        }
    }

    /// What came of a request's head: who calls what.
    private struct Entry {
        var caller: String
        var found: Endpoint.Found
    }

    private func enter(_ head: RequestHead) throws(Problem) -> Entry {
        Entry(caller: try admit(head), found: Endpoint.find(head))
    }

    private func respond(to request: Request, _ entry: Result<Entry, Problem>) async -> Response {
        let head = request.head
        var response: Response
        if let answer = preflight(head) {
            response = answer
        } else {
            response = noting(await answer(request, entry), head)
        }
        welcome(head, to: &response)
        // A provider's own id of its answer is passed on.
        if response.headers["request-id"] == nil { response.headers["request-id"] = head.id }
        log.debug(
            "request answered",
            [
                "request_id": "\(head.id)", "method": "\(head.method)", "path": "\(head.rawPath)",
                "status": .int(response.status),
            ])
        return response
    }

    private func answer(_ request: Request, _ entry: Result<Entry, Problem>) async -> Response {
        let head = request.head
        do {
            let entry = try entry.get()
            let now = store.now()
            guard !Self.isOpen(head) else { return try await perform(request, entry, now) }
            let visit = try callers.enter(entry.caller, now: now.moment)
            return try await perform(request, entry, now).keeping(visit)
        } catch {
            return response(to: error, head)
        }
    }

    private func perform(_ request: Request, _ entry: Entry, _ now: Now) async throws -> Response {
        let head = request.head
        let (endpoint, parameters) = try entry.found.demand(head)
        try demandPlainBody(head)
        return try await endpoint.action(
            self,
            Call(head: head, body: request.body, parameters: parameters, caller: entry.caller, now: now))
    }
}

/// Settings that no longer change, shared by those who read them.
final class SettingsSnapshot: Sendable {
    let settings: APISettings

    init(_ settings: APISettings) {
        self.settings = settings
    }
}

extension Endpoint.BodyRule {
    fileprivate func policy(_ limits: APILimits) -> BodyPolicy {
        switch self {
        case .form: .collect(limit: limits.formBytes)
        case .jobs: .collect(limit: max(limits.jobBytes, limits.listBytes))
        case .job: .collect(limit: limits.jobBytes)
        case .stream: .stream
        }
    }
}

extension API {
    private func response(to error: any Error, _ head: RequestHead) -> Response {
        let format = ErrorFormat.of(head)
        if let error = error as? JobError {
            return CallFailure(error, job: nil).response(format, requestID: head.id)
        }
        if let failure = error as? CallFailure { return failure.response(format, requestID: head.id) }
        return problem(for: error, head: head).response(format, requestID: head.id)
    }

    /// A stream that breaks off can tell its caller no reason any more, so the log has it.
    private func noting(_ response: Response, _ head: RequestHead) -> Response {
        guard case .stream(let produce) = response.body else { return response }
        var response = response
        response.body = .stream { [self] writer in
            do {
                try await produce(writer)
            } catch {
                // A call's failure is in its job.
                if !(error is CallFailure || error is JobError) { _ = problem(for: error, head: head) }
                throw error
            }
        }
        return response
    }

    /// What an error is to the caller; what is our own fault goes to the log.
    func problem(for error: any Error, head: RequestHead) -> Problem {
        if let problem = error as? Problem { return problem }
        // A client that hung up reads no answer: this is for those that still wait when the server stops.
        if error is CancellationError { return Problem(JobStoreError(.closed, "stopping")) }
        if let error = error as? HTTPServerError, error.code == .uploadCut || error.code == .hungUp {
            return Problem(.uploadCut, "the connection ended before the whole body had come")
        }
        // The store has said so once, for all requests that follow.
        if let error = error as? JobStoreError, error.code == .schemaTooNew { return Problem(error) }
        log.error(
            "request failed",
            [
                "request_id": "\(head.id)", "method": "\(head.method)", "path": "\(head.rawPath)",
                "error": "\(error)",
            ])
        if let error = error as? JobStoreError { return Problem(error) }
        return Problem(JobStoreError(.internal, "unknown"))
    }
}

/// A request on its way through an endpoint.
struct Call: Sendable {
    var head: RequestHead
    var body: Request.Body
    /// What stood in the braces of the endpoint's pattern.
    var parameters: [String]
    /// Who calls: by the key if one is asked for, else by the address.
    var caller: String
    var now: Now

    var bytes: [UInt8] {
        if case .bytes(let bytes) = body { bytes } else { [] }
    }
}
