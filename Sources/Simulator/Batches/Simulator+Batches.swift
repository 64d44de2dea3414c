import HTTPServer
import JSON

/// Message Batches, under `/v1/messages/batches`.
extension Simulator {
    /// 256 MB, as much as the provider takes for a batch.
    static let batchBodyLimit = 256 * 1024 * 1024
    static let batchPath = ["v1", "messages", "batches"]

    func batch(_ request: Request) async -> Response {
        guard let (operation, id) = BatchOperation.asked(request.head) else {
            return refuse(
                APIError(status: request.head.path.count <= Self.batchPath.count + 1 ? 405 : 404), request)
        }
        let digest = Digest(of: request.bytes)
        let ticket = journal.begin(
            "batches.\(operation)", digest: digest, caller: request.head.headers["x-sim-id"],
            at: clock.timestamp())
        let plan = self.plan
        var fault: Fault?
        do throws(APIError) {
            let version = try access(request.head, plan.settings)
            try plan.gate.admit(at: clock.uptime())
            var random = SeededRandom(plan.settings.seed, UInt64(ticket.sequence))
            fault = plan.batchFault(operation, at: clock.uptime(), &random)
            if let fault, !fault.isAnswered(isStream: false) {
                return try await fail(fault, ticket, plan.settings.stall)
            }
            let visit = BatchVisit(request: request, id: id, digest: digest, version: version, plan: plan)
            let response = try await carryOut(operation, visit, fault?.kind)
            let status = fault?.kind == .dropAfter ? nil : 200
            journal.end(ticket, CallEnd(status: status, fault: fault?.name), at: clock.timestamp())
            return response
        } catch {
            journal.end(ticket, CallEnd(status: error.status, fault: fault?.name), at: clock.timestamp())
            return error.response(requestID: request.head.id)
        }
    }

    /// Enters in the journal what batches have done by now.
    package func settleBatches() async {
        await queue.settle(at: clock.timestamp())
    }

    /// A fault that strikes before anything is done.
    private func fail(_ fault: Fault, _ ticket: Journal.Ticket, _ stall: Int64) async throws(APIError)
        -> Response
    {
        switch fault.kind {
        case .reset, .stall:
            journal.end(ticket, CallEnd(status: nil, fault: fault.name), at: clock.timestamp())
            // A client that hangs up meanwhile gets no answer either.
            if fault.kind == .stall { try? await clock.sleep(stall) }
            return Delivery.broken
        case .html(let status):
            journal.end(ticket, CallEnd(status: status, fault: fault.name), at: clock.timestamp())
            return Fault.page(status)
        default: throw fault.error(in: .messages, at: clock.timestamp())
        }
    }

    private func carryOut(
        _ operation: BatchOperation, _ visit: BatchVisit, _ fault: Fault.Kind?
    ) async throws(APIError) -> Response {
        let now = clock.timestamp()
        var json = JSONWriter()
        switch operation {
        case .create:
            let envelope = try BatchEnvelope(parsing: visit.request.bytes, digest: visit.digest)
            let batch = try await queue.create(
                envelope, version: visit.version, visit.plan.settings, at: now)
            batch.write(to: &json, base: visit.base)
        case .get: try await queue.batch(visit.id, at: now).write(to: &json, base: visit.base)
        case .cancel: try await queue.cancel(visit.id, at: now).write(to: &json, base: visit.base)
        case .list: try await list(visit, at: now, &json)
        case .delete:
            try await queue.delete(visit.id, at: now)
            json.object { json in
                json.field("id", visit.id)
                json.field("type", "message_batch_deleted")
            }
        case .results: return try await results(visit, fault, at: now)
        }
        return PlainBody(
            bytes: json.bytes, fault: fault, headers: APIError.headers, stall: visit.plan.settings.stall,
            clock: clock
        ).response()
    }

    private func list(_ visit: BatchVisit, at now: Int64, _ json: inout JSONWriter) async throws(APIError) {
        let head = visit.request.head
        let limit = try Self.pageLimit(head)
        let page = try await queue.list(
            .init(limit: limit, after: head.query("after_id"), before: head.query("before_id")), at: now)
        json.object { json in
            json.key("data")
            json.array { list in for batch in page.batches { batch.write(to: &list, base: visit.base) } }
            json.field("has_more", page.hasMore)
            json.field("first_id", page.batches.first?.id)
            json.field("last_id", page.batches.last?.id)
        }
    }

    private func results(
        _ visit: BatchVisit, _ fault: Fault.Kind?, at now: Int64
    ) async throws(APIError) -> Response {
        let batch = try await queue.batch(visit.id, at: now)
        guard batch.endedAt != nil else {
            throw APIError(404, "not_found_error", "\(batch.id) has no results yet: it is still processing")
        }
        guard batch.archivedAt == nil else {
            throw APIError(404, "not_found_error", "The results of \(batch.id) are archived")
        }
        var headers = APIError.headers
        headers["content-type"] = "application/x-jsonl"
        return BatchResults(
            batch: batch, fault: fault, stall: visit.plan.settings.stall, clock: clock
        ).response(headers)
    }
}

/// One request to the batch endpoints that was let in.
private struct BatchVisit: Sendable {
    let request: Request
    /// Of the batch; empty if none is named.
    let id: String
    let digest: Digest
    let version: APIVersion
    let plan: Plan

    /// Where the caller found this server.
    var base: String { request.head.headers["host"].map { "http://\($0)" } ?? "" }
}

extension BatchOperation {
    /// What a request to the batch endpoints asks for, and of which batch; nil if there is no such thing.
    fileprivate static func asked(_ head: RequestHead) -> (BatchOperation, id: String)? {
        let rest = head.path.dropFirst(Simulator.batchPath.count)
        let id = rest.first ?? ""
        switch (head.method, rest.count, rest.dropFirst().first) {
        case ("POST", 0, _): return (.create, id)
        case ("GET", 0, _): return (.list, id)
        case ("GET", 1, _): return (.get, id)
        case ("DELETE", 1, _): return (.delete, id)
        case ("GET", 2, "results"): return (.results, id)
        case ("POST", 2, "cancel"): return (.cancel, id)
        default: return nil
        }
    }
}
