/// All batches that there are; each request sees what is done by its time.
///
/// Times are milliseconds UTC and come in with each request, so nothing here waits or sleeps.
actor BatchQueue {
    /// Batches and rows kept, waiting or ended, and the bytes of their bodies, so that memory stays bounded.
    static let maximumBatches = 1_000
    static let maximumRows = 1_000_000
    static let maximumBytes = 1 << 30

    /// Which part of the list, newest first.
    struct Page: Sendable {
        var limit: Int
        var after: String?
        var before: String?
    }

    private let journal: Journal
    private var runner: BatchRunner
    /// Oldest first.
    private var batches: [MessageBatch] = []
    private var created = 0

    init(_ journal: Journal) {
        self.journal = journal
        runner = BatchRunner(journal)
    }

    /// Throws 429 beyond the rows that may wait, and 503 beyond what is kept.
    func create(
        _ envelope: BatchEnvelope, version: APIVersion, _ settings: SimulatorSettings, at now: Int64
    ) throws(APIError) -> MessageBatch {
        settle(at: now)
        try checkRoom(for: envelope, queue: settings.batches.queue)
        created += 1
        let batch = MessageBatch(envelope, number: created, version: version, settings, at: now)
        journal.enter(batchOf: batch.rowCount)
        batches.append(batch)
        return batch
    }

    func batch(_ id: String, at now: Int64) throws(APIError) -> MessageBatch {
        settle(at: now)
        return batches[try index(of: id)]
    }

    func cancel(_ id: String, at now: Int64) throws(APIError) -> MessageBatch {
        settle(at: now)
        let index = try index(of: id)
        guard batches[index].endedAt == nil else {
            throw .invalid("\(id) has ended and cannot be canceled")
        }
        batches[index].cancel(at: now)
        batches[index].advance(to: now, runner)
        return batches[index]
    }

    func delete(_ id: String, at now: Int64) throws(APIError) {
        settle(at: now)
        let index = try index(of: id)
        guard batches[index].endedAt != nil else {
            throw .invalid("\(id) is still processing: only batches that have ended can be deleted")
        }
        batches.remove(at: index)
    }

    func list(_ page: Page, at now: Int64) throws(APIError) -> (batches: [MessageBatch], hasMore: Bool) {
        settle(at: now)
        if let before = page.before {
            let newer = batches[(try index(of: before) + 1)...]
            return (newer.prefix(page.limit).reversed(), newer.count > page.limit)
        }
        let older = try batches[
            ..<(page.after.map { id throws(APIError) in try index(of: id) } ?? batches.count)]
        return (older.suffix(page.limit).reversed(), older.count > page.limit)
    }

    /// Does what is due by now in every batch, so that the journal tells of it.
    func settle(at now: Int64) {
        for index in batches.indices { batches[index].advance(to: now, runner) }
    }

    func reset() {
        batches = []
        created = 0
        runner = BatchRunner(journal)
    }

    private func index(of id: String) throws(APIError) -> Int {
        guard let index = batches.firstIndex(where: { $0.id == id }) else {
            throw APIError(404, "not_found_error", "message batch: \(id)")
        }
        return index
    }

    private func checkRoom(for envelope: BatchEnvelope, queue: Int) throws(APIError) {
        let rows = envelope.requests.count
        guard batches.reduce(rows, { $0 + $1.waiting }) <= queue else {
            var error = APIError(
                429, "rate_limit_error",
                "This request would exceed your organization's limit of \(queue) batch requests in the processing queue."
            )
            error.headers["retry-after"] = "60"
            throw error
        }
        let kept = (
            batches: batches.count + 1, rows: batches.reduce(rows) { $0 + $1.keptRows },
            bytes: batches.reduce(envelope.size) { $0 + $1.keptBytes }
        )
        guard kept.batches <= Self.maximumBatches, kept.rows <= Self.maximumRows,
            kept.bytes <= Self.maximumBytes
        else {
            throw APIError(
                status: 503,
                message:
                    "The simulator keeps at most \(Self.maximumBatches) batches, \(Self.maximumRows) of their "
                    + "rows and \(Self.maximumBytes) bytes of them: delete batches that have ended.")
        }
    }
}
