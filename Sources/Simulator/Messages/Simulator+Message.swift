import HTTPServer
import JSON

/// A call for a message, from its arrival to what is sent.
extension Simulator {
    func message(_ request: Request, in dialect: Dialect) async -> Response {
        let digest = Digest(of: request.bytes)
        let ticket = journal.begin(
            dialect.endpoint, digest: digest, caller: request.head.headers["x-sim-id"], at: clock.timestamp())
        let flight = Flight(journal, ticket)
        defer { withExtendedLifetime(flight) {} }
        let plan = self.plan
        do throws(APIError) {
            let (call, form) = try read(request, in: dialect, plan.settings)
            let marker = try Marker.find(in: request.bytes)
            journal.annotate(ticket, caller: marker?.caller, isStream: call.isStream)
            var exchange = try admit(call, marker, Visit(request.head, ticket, flight, digest, form), plan)
            return await exchange.respond()
        } catch {
            journal.end(ticket, CallEnd(status: error.status), at: clock.timestamp())
            return error.response(requestID: request.head.id, in: dialect)
        }
    }

    /// The call, and the dialect with what the request says of its answer's form.
    private func read(
        _ request: Request, in dialect: Dialect, _ settings: SimulatorSettings
    ) throws(APIError) -> (call: MessagesCall, form: Dialect) {
        let bytes = request.bytes
        guard case .chat(var form) = dialect else {
            let version = try access(request.head, settings)
            let call = try MessagesCall(parsing: bytes, version: version, for: .message)
            return (try threads.resume(call), dialect)
        }
        try admitKey(of: request.head, settings)
        let chat = try ChatBody.translate(bytes)
        form.includesUsage = chat.includesUsage
        return (
            try MessagesCall(
                parsing: chat.request, version: .v2023, for: .message, takesLimits: true), .chat(form)
        )
    }

    /// Who may call, and in which version of the API they speak.
    func access(_ head: RequestHead, _ settings: SimulatorSettings) throws(APIError) -> APIVersion {
        try admitKey(of: head, settings)
        guard let version = head.headers["anthropic-version"] else {
            throw .invalid("anthropic-version: header is required")
        }
        guard let known = APIVersion(rawValue: version) else {
            throw .invalid("anthropic-version: \"\(version)\" is not a valid version")
        }
        return known
    }

    /// The key alone, in either header.
    func admitKey(of head: RequestHead, _ settings: SimulatorSettings) throws(APIError) {
        let bearer = head.headers["authorization"].flatMap { value in
            Words.lowercased(value.prefix(7)) == "bearer " ? String(value.dropFirst(7)) : nil
        }
        guard let key = head.headers["x-api-key"] ?? bearer, !key.isEmpty else {
            throw APIError(401, "authentication_error", "x-api-key header is required")
        }
        guard settings.keys.isEmpty || settings.keys.contains(key) else { throw APIError(status: 401) }
    }

    /// Passes the limits and learns the call's fate.
    private func admit(
        _ call: MessagesCall, _ marker: Marker?, _ visit: Visit, _ plan: Plan
    ) throws(APIError) -> Exchange {
        let now = clock.uptime()
        let accounting = try cache.account(for: call, at: now)
        var random = SeededRandom(plan.settings.seed, visit.digest.words.0, UInt64(visit.ticket.repetition))
        let fault = plan.fault(marker, visit.ticket, at: now, &random)
        var exchange = Exchange(
            simulator: self, plan: plan, visit: visit, call: call, marker: marker, fault: fault,
            accounting: accounting, random: random)
        do {
            exchange.admission = try plan.limiter.admit(
                call.model.limitClass, input: accounting.usage.limitedInput, maxTokens: call.maxTokens,
                at: now)
        } catch {
            exchange.refusal = error
        }
        return exchange
    }
}

/// Who calls, as far as an answer needs it.
struct Visit: Sendable {
    let requestID: String
    let ticket: Journal.Ticket
    let flight: Flight
    let digest: Digest
    let dialect: Dialect

    init(
        _ head: RequestHead, _ ticket: Journal.Ticket, _ flight: Flight, _ digest: Digest, _ dialect: Dialect
    ) {
        requestID = head.id
        self.ticket = ticket
        self.flight = flight
        self.digest = digest
        self.dialect = dialect
    }
}

/// A call under way; it counts as concurrent while anything holds this.
final class Flight: Sendable {
    private let journal: Journal
    private let ticket: Journal.Ticket

    init(_ journal: Journal, _ ticket: Journal.Ticket) {
        self.journal = journal
        self.ticket = ticket
    }

    deinit { journal.leave(ticket) }
}
