import HTTPServer
import JSON
import Jobs

/// `GET /v1/results`: finished jobs, a line each.
extension API {
    func results(_ call: Call) async throws -> Response {
        let parameters = try Parameters(
            call.head, known: ["batch_id", "queue", "state", "order", "after", "limit", "include"])
        let state = try parameters.choice("state", JobState.self)
        guard state?.isTerminal != false else {
            throw parameters.refuse(
                "state", "succeeded, failed or cancelled: only finished jobs have results")
        }
        let limit = try parameters.integer("limit", in: 1...Self.mostResults)
        let query = try await resultsQuery(parameters)
        let after = try parameters["after"].map { text in
            guard let cursor = Int64(text), cursor >= 0 else {
                throw parameters.refuse("after", "the “cursor” of a line")
            }
            return cursor
        }
        // The first page is read before the answer begins, so that what fails at once fails as a proper problem.
        let first = try await store.lists { lists in
            try await lists.results(query, after: after ?? -1, limit: PageLength().lines)
        }
        var response = Response.ndjson { [store] writer in
            var pages = ResultPages(
                store: store, query: query, state: state, limit: limit, first: first.value)
            while let lines = try await pages.next() {
                if !lines.isEmpty { try await writer.write(lines) }
            }
        }
        if let asOf = first.asOf { response.headers["x-renga-as-of"] = asOf.text }
        return response
    }

    /// More than any database holds: a limit of its own for what a client may ask.
    private static let mostResults = 1_000_000_000

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
                throw parameters.refuse("order", "finished if no “batch_id” is given")
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
    let store: any Reading
    let query: ResultsQuery
    /// Only jobs that ended so.
    let state: JobState?
    /// Lines still wanted; nil for all.
    var left: Int?
    /// Read already; nil when the next one has to be.
    var page: [FinishedJob]?
    private var length = PageLength()
    private var last: Int64?

    init(store: any Reading, query: ResultsQuery, state: JobState?, limit: Int?, first: [FinishedJob]) {
        self.store = store
        self.query = query
        self.state = state
        left = limit
        page = first
    }

    /// The lines of a page; nil after the last.
    mutating func next() async throws -> [UInt8]? {
        let page =
            if let page { page } else {
                try await nextPage()
            }
        guard let end = page.last, left != 0 else { return nil }
        var writer = JSONWriter()
        let wanted = wanted(of: page)
        for finished in wanted {
            writer.job(finished.job, bodies: query.bodies) { $0.field("cursor", String(finished.cursor)) }
            writer.newline()
        }
        let isShort = page.count < length.lines
        last = end.cursor
        if !wanted.isEmpty { length.adapt(to: writer.bytes.count / wanted.count) }
        // A short page was the last one, so that it need not be followed by an empty read.
        self.page = isShort ? [] : nil
        return writer.bytes
    }

    private func nextPage() async throws -> [FinishedJob] {
        let (query, after, limit) = (query, last ?? -1, length.lines)
        return try await store.lists { lists in
            try await lists.results(query, after: after, limit: limit)
        }.value
    }

    /// The lines of a page that were asked for.
    private mutating func wanted(of page: [FinishedJob]) -> ArraySlice<FinishedJob> {
        var wanted = page.filter { state == nil || $0.job.state == state }[...]
        if let left {
            wanted = wanted.prefix(left)
            self.left = left - wanted.count
        }
        return wanted
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
