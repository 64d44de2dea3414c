import HTTPServer
import JSON

/// A call for a message, from its arrival to what is sent.
extension Simulator {
    func message(_ request: Request) async -> Response {
        let digest = Digest(of: request.bytes)
        let ticket = journal.begin(
            "messages", digest: digest, caller: request.head.headers["x-sim-id"], at: clock.timestamp())
        let flight = Flight(journal, ticket)
        defer { withExtendedLifetime(flight) {} }
        let plan = self.plan
        do throws(APIError) {
            let version = try access(request.head, plan.settings)
            let marker = try Marker.find(in: request.bytes)
            let call = try MessagesCall(parsing: request.bytes, version: version, for: .message)
            journal.annotate(ticket, caller: marker?.caller, isStream: call.isStream)
            var exchange = try admit(call, marker, Visit(request.head, ticket, flight, digest), plan)
            return await exchange.respond()
        } catch {
            journal.end(ticket, CallEnd(status: error.status), at: clock.timestamp())
            return error.response(requestID: request.head.id)
        }
    }

    /// Who may call, and in which version of the API they speak.
    func access(_ head: RequestHead, _ settings: SimulatorSettings) throws(APIError) -> APIVersion {
        let bearer = head.headers["authorization"].flatMap { value in
            Words.lowercased(value.prefix(7)) == "bearer " ? String(value.dropFirst(7)) : nil
        }
        guard let key = head.headers["x-api-key"] ?? bearer, !key.isEmpty else {
            throw APIError(401, "authentication_error", "x-api-key header is required")
        }
        guard settings.keys.isEmpty || settings.keys.contains(key) else { throw APIError(status: 401) }
        guard let version = head.headers["anthropic-version"] else {
            throw .invalid("anthropic-version: header is required")
        }
        guard let known = APIVersion(rawValue: version) else {
            throw .invalid("anthropic-version: \"\(version)\" is not a valid version")
        }
        return known
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

    init(_ head: RequestHead, _ ticket: Journal.Ticket, _ flight: Flight, _ digest: Digest) {
        requestID = head.id
        self.ticket = ticket
        self.flight = flight
        self.digest = digest
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
