import HTTPServer
import JSON
import Jobs

/// `/v1/jobs/batches`.
extension API {
    func createBatch(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        var name: String?
        var metadata: [UInt8]?
        for field in try Fields(try JSON.body(call.bytes, limits: settings.limits), "the body") {
            switch field.name {
            case "name": name = try batchName(field)
            case "metadata": metadata = try field.metadata()
            default: throw Problem.unknownField(field, prefix: "", known: ["name", "metadata"])
            }
        }
        guard let name else { throw Problem.missingField("name", "a batch needs a “name”") }
        let known = try await store.batch(named: name) != nil
        let batch = try await store.createBatch(name: name, metadata: metadata)
        let headers = [(name: "location", value: "/v1/jobs/batches/\(batch.id)")]
        return .json(status: known ? 200 : 201, headers: headers) { $0.batch(batch) }
    }

    func listBatches(_ call: Call) async throws -> Response {
        let parameters = try Parameters(call.head, known: ["limit", "cursor"])
        let limit = try parameters.pageLimit(settings.limits)
        let cursor = try parameters["cursor"].map { text in
            guard let id = BatchID(text) else {
                throw parameters.refuse("cursor", "what an answer's “next_cursor” said")
            }
            return id
        }
        let batches = try await store.batches(before: cursor, limit: limit + 1)
        let page = Array(batches.prefix(limit))
        let next = batches.count > limit ? page.last?.id.description : nil
        return .json { $0.page(page, next: next) { $0.batch($1) } }
    }

    func showBatch(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let batch = try await batch(call.parameters[0])
        return .json { $0.batch(batch) }
    }
}

extension API {
    /// A batch by its id or its name.
    func batch(_ text: String) async throws -> Batch {
        let batch =
            if let id = BatchID(text) { try await store.batch(id) } else {
                try await store.batch(named: text)
            }
        guard let batch else {
            throw Problem(.unknownBatch, "there is no batch “\(text.prefix(130))”", field: "batch_id")
        }
        return batch
    }

    /// The batch of that name, made if it is not there yet.
    func batchID(named name: String?) async throws -> BatchID? {
        guard let name else { return nil }
        try checkBatchName(name, .invalidParameter, field: "batch")
        return try await store.createBatch(name: name, metadata: nil).id
    }

    private func batchName(_ field: Field) throws -> String {
        let name = try field.line(bytes: JobLimits.nameBytes)
        try checkBatchName(name, .invalidField, field: field.name)
        return name
    }

    private func checkBatchName(_ name: String, _ kind: Problem.Kind, field: String) throws {
        guard Text.canBeAddressed(name) else {
            throw Problem(
                kind, "a batch's name must not have a part that is . or ..: no path leads there", field: field
            )
        }
        guard BatchID(name) == nil else {
            throw Problem(kind, "a batch's name must not look like a batch's id", field: field)
        }
    }
}
