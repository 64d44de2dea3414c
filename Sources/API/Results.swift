import HTTPServer
import JSON
import Jobs

/// `GET /v1/results`: finished jobs, a line each.
extension API {
    func results(_ call: Call) async throws -> Response {
        let parameters = try Parameters(call.head, known: ["batch_id", "queue", "order", "after", "include"])
        let query = try await resultsQuery(parameters)
        let after = try parameters["after"].map { text in
            guard let cursor = Int64(text), cursor >= 0 else {
                throw parameters.refuse("after", "the “cursor” of a line")
            }
            return cursor
        }
        // The first page is read before the answer begins, so that what fails at once fails as a proper problem.
        let first = try await store.results(query, after: after ?? -1, limit: PageLength().lines)
        return .ndjson { [store] writer in
            var pages = ResultPages(store: store, query: query, first: first)
            while let lines = try await pages.next() {
                try await writer.write(lines)
            }
        }
    }

    private func resultsQuery(_ parameters: Parameters) async throws -> ResultsQuery {
        let inputOrder: Bool
        switch parameters["order"] {
        case nil, "finished": inputOrder = false
        case "input": inputOrder = true
        default: throw parameters.refuse("order", "finished or input")
        }
        let bodies = try parameters.bodies(besides: .response)
        let queue = try parameters.queueName("queue")
        guard let batch = parameters["batch_id"] else {
            guard !inputOrder else {
                throw parameters.refuse("order", "finished: “input” needs a “batch_id”")
            }
            return ResultsQuery(source: queue.map { .queue($0) } ?? .all, bodies: bodies)
        }
        guard queue == nil else {
            throw Problem(.invalidParameter, "“batch_id” and “queue” exclude each other", field: "queue")
        }
        return ResultsQuery(
            source: .batch(try await self.batch(batch).id), inputOrder: inputOrder, bodies: bodies)
    }
}

/// Reads results page by page, each as long as the size of the last one suggests.
private struct ResultPages {
    let store: any JobStore
    let query: ResultsQuery
    /// Read already; nil when the next one has to be.
    var page: [FinishedJob]?
    private var length = PageLength()
    private var last: Int64?

    init(store: any JobStore, query: ResultsQuery, first: [FinishedJob]) {
        self.store = store
        self.query = query
        page = first
    }

    /// The lines of a page; nil after the last.
    mutating func next() async throws -> [UInt8]? {
        let page =
            if let page { page } else {
                try await store.results(query, after: last ?? -1, limit: length.lines)
            }
        guard let end = page.last else { return nil }
        var writer = JSONWriter()
        for finished in page {
            writer.job(finished.job, bodies: query.bodies) { $0.field("cursor", String(finished.cursor)) }
            writer.newline()
        }
        let isShort = page.count < length.lines
        last = end.cursor
        length.adapt(to: writer.bytes.count / page.count)
        // A short page was the last one, so that it need not be followed by an empty read.
        self.page = isShort ? [] : nil
        return writer.bytes
    }
}

/// How many lines the next page of an answer has, so that it is about a mebibyte.
struct PageLength {
    private static let bytes = 1 << 20
    private(set) var lines = 50

    /// To the size of the lines on the last page.
    mutating func adapt(to lineBytes: Int) {
        lines = min(500, max(1, Self.bytes / max(1, lineBytes)))
    }
}
