import HTTPServer
import JSON
import Jobs

/// `/v1/messages/batches`: what became of them.
extension API {
    func listMessageBatches(_ call: Call) async throws -> Response {
        let store = try batchStore()
        let parameters = try Parameters(call.head, known: ["limit", "after_id", "before_id", "beta"])
        let limit = try parameters.integer("limit", in: 1...1000) ?? 20
        func cursor(_ name: String) throws(Problem) -> BatchID? {
            guard let text = parameters[name] else { return nil }
            guard let id = BatchID(compatible: text) else {
                throw parameters.refuse(name, "the id of a batch")
            }
            return id
        }
        let (after, before) = (try cursor("after_id"), try cursor("before_id"))
        var found = try await store.messageBatches(after: after, before: before, limit: limit + 1)
        let hasMore = found.count > limit
        if hasMore { if before != nil { found.removeFirst() } else { found.removeLast() } }
        return .json { writer in
            writer.object { writer in
                writer.key("data")
                writer.array { writer in
                    for batch in found { writer.messageBatch(batch, call.head, now: call.now.timestamp) }
                }
                writer.field("has_more", hasMore)
                writer.field("first_id", found.first?.id.compatible)
                writer.field("last_id", found.last?.id.compatible)
            }
        }
    }

    func showMessageBatch(_ call: Call) async throws -> Response {
        let store = try batchStore()
        return try await show(try batchID(call), call, store)
    }

    func cancelMessageBatch(_ call: Call) async throws -> Response {
        let store = try batchStore()
        let id = try batchID(call)
        guard let batch = try await store.messageBatch(id) else { throw Self.unknown(call) }
        if batch.endedAt == nil {
            while try await store.cancel(id) {}
        }
        return try await show(id, call, store)
    }

    func deleteMessageBatch(_ call: Call) async throws -> Response {
        let store = try batchStore()
        let id = try batchID(call)
        guard let batch = try await store.messageBatch(id) else { throw Self.unknown(call) }
        guard batch.endedAt != nil else {
            throw Problem(.invalidRequest, "the batch has not ended: cancel it before it is deleted")
        }
        try await store.delete(id)
        return .json { writer in
            writer.object { writer in
                writer.field("id", id.compatible)
                writer.field("type", "message_batch_deleted")
            }
        }
    }

    func messageBatchResults(_ call: Call) async throws -> Response {
        let store = try batchStore()
        let id = try batchID(call)
        guard let batch = try await store.messageBatch(id),
            batch.archivedAt(call.now.timestamp) == nil
        else { throw Self.unknown(call) }
        guard batch.endedAt != nil else {
            throw Problem(.invalidRequest, "the batch has not ended: its results come with its end")
        }
        let expected = batch.counts.total
        return Response(
            headers: ["content-type": "application/x-jsonl"],
            body: .stream { writer in
                var (after, count) = (Int64(-1), 0)
                var length = PageLength()
                while true {
                    let page = try await store.results(of: id, after: after, limit: length.lines)
                    guard let last = page.last else { break }
                    var lines = JSONWriter()
                    for result in page {
                        lines.result(result)
                        lines.newline()
                    }
                    try await writer.write(lines.bytes)
                    after = last.finished.cursor
                    count += page.count
                    length.adapt(to: lines.bytes.count / page.count)
                }
                // Broken off visibly if some are gone.
                guard count == expected else { throw Problem(.internal, "\(count) of \(expected) results") }
            })
    }

    func show(_ id: BatchID, _ call: Call, _ store: any MessageBatchStore) async throws -> Response {
        guard let batch = try await store.messageBatch(id) else { throw Self.unknown(call) }
        return .json { $0.messageBatch(batch, call.head, now: call.now.timestamp) }
    }

    func batchStore() throws(Problem) -> any MessageBatchStore {
        guard let batches else { throw Problem(.notReady, "this server keeps no batches") }
        return batches
    }

    private func batchID(_ call: Call) throws(Problem) -> BatchID {
        guard let id = BatchID(compatible: call.parameters[0]) else { throw Self.unknown(call) }
        return id
    }

    static func unknown(_ call: Call) -> Problem {
        let text = call.parameters.first ?? ""
        return Problem(.unknownBatch, "there is no batch “\(text.prefix(80))”")
    }
}
