import HTTPServer
import JSON

/// Counting tokens and listing models: free, and not limited here.
extension Simulator {
    func countTokens(_ request: Request) -> Response {
        reply("messages/count_tokens", request) { () throws(APIError) in
            let version = try access(request.head, plan.settings)
            let call = try MessagesCall(parsing: request.bytes, version: version, for: .counting)
            var json = JSONWriter()
            json.object { $0.field("input_tokens", call.promptTokens) }
            return json.bytes
        }
    }

    func models(_ request: Request) -> Response {
        reply("models", request) { () throws(APIError) in
            try accessModels(request.head)
            return Self.list(page(request.head, limit: try Self.pageLimit(request.head)))
        }
    }

    /// How much of a list a request asks for.
    static func pageLimit(_ head: RequestHead) throws(APIError) -> Int {
        let limit = head.query("limit").map { Int($0) ?? 0 } ?? 20
        guard (1...1000).contains(limit) else {
            throw .invalid("limit: Input should be between 1 and 1000")
        }
        return limit
    }

    func model(_ request: Request, named name: String) -> Response {
        reply("models/\(name)", request) { () throws(APIError) in
            try accessModels(request.head)
            guard let model = ModelCatalog.model(named: name), !model.isRetired else {
                throw APIError(404, "not_found_error", "model: \(name)")
            }
            var json = JSONWriter()
            Self.write(model, &json)
            return json.bytes
        }
    }

    /// OpenAI's libraries ask at the same path, and send no version.
    private func accessModels(_ head: RequestHead) throws(APIError) {
        guard head.headers["anthropic-version"] == nil else { return _ = try access(head, plan.settings) }
        try admitKey(of: head, plan.settings)
    }

    func refuse(_ error: APIError, _ request: Request) -> Response {
        reply(request.head.rawPath, request) { () throws(APIError) in throw error }
    }

    /// Enters the request in the journal and gives the body, or the error that it threw.
    private func reply(
        _ endpoint: String, _ request: Request, _ body: () throws(APIError) -> [UInt8]
    ) -> Response {
        let now = clock.timestamp()
        let ticket = journal.begin(
            endpoint, digest: Digest(of: request.bytes), caller: request.head.headers["x-sim-id"], at: now)
        do throws(APIError) {
            let bytes = try body()
            journal.end(ticket, CallEnd(status: 200), at: now)
            return Response(status: 200, headers: APIError.headers, body: .bytes(bytes))
        } catch {
            journal.end(ticket, CallEnd(status: error.status), at: now)
            return error.response(requestID: request.head.id)
        }
    }

    private func page(_ head: RequestHead, limit: Int) -> (models: ArraySlice<Model>, hasMore: Bool) {
        var models = ModelCatalog.listed[...]
        if let after = head.query("after_id"), let index = models.firstIndex(where: { $0.id == after }) {
            models = models[(index + 1)...]
        }
        if let before = head.query("before_id"), let index = models.firstIndex(where: { $0.id == before }) {
            models = models[..<index].suffix(limit)
        }
        return (models.prefix(limit), models.count > limit)
    }

    private static func list(_ page: (models: ArraySlice<Model>, hasMore: Bool)) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("object", "list")
            json.key("data")
            json.array { list in for model in page.models { write(model, &list) } }
            json.field("has_more", page.hasMore)
            json.field("first_id", page.models.first?.id)
            json.field("last_id", page.models.last?.id)
        }
        return json.bytes
    }

    private static func write(_ model: Model, _ json: inout JSONWriter) {
        json.object { json in
            json.field("type", "model")
            json.field("id", model.id)
            json.field("display_name", model.name)
            json.field("created_at", model.created)
            json.field("max_input_tokens", model.contextWindow)
            json.field("max_tokens", model.maximumOutput)
            json.field("line", model.line)
            json.field("lifecycle", "active")
            json.field("object", "model")
            json.field("created", model.createdSeconds)
            json.field("owned_by", "anthropic")
        }
    }
}

extension Model {
    /// The day it appeared, in seconds since 1970, as OpenAI's lists have it.
    fileprivate var createdSeconds: Int {
        let parts = created.prefix(10).split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3 else { return 0 }
        // Howard Hinnant's days_from_civil: https://howardhinnant.github.io/date_algorithms.html
        let year = parts[1] <= 2 ? parts[0] - 1 : parts[0]
        let month = (parts[1] + 9) % 12
        let ofYear = (153 * month + 2) / 5 + parts[2] - 1
        let days = year * 365 + year / 4 - year / 100 + year / 400 + ofYear - 719_468
        return days * 86_400
    }
}
