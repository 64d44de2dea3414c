import HTTPServer
import JSON

/// Why a request was refused, as `application/problem+json` (RFC 9457) tells it.
struct Problem: Error, Sendable {
    var kind: Kind
    /// A sentence for people: what is wrong with this request and what would be right.
    var detail: String
    /// The JSON field, query parameter or header at fault.
    var field: String?
    /// The limit that was met, in the unit that the detail names.
    var limit: Int?
    /// Further members, such as the `id` of the job in the way.
    var members: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []

    init(_ kind: Kind, _ detail: String, field: String? = nil, limit: Int? = nil) {
        self.kind = kind
        self.detail = detail
        self.field = field
        self.limit = limit
    }

    func with(_ name: String, _ value: String) -> Problem {
        var problem = self
        problem.members.append((name, value))
        return problem
    }

    func withHeader(_ name: String, _ value: String) -> Problem {
        var problem = self
        problem.headers.append((name, value))
        return problem
    }
}

extension Problem {
    func response(_ format: ErrorFormat = .renga, requestID: String?) -> Response {
        guard format == .renga else {
            var response = format.response(
                status: kind.status, type: kind.providerType, message: sentence, parameter: field,
                code: kind == .notFound ? "unknown_url" : nil, requestID: requestID)
            if kind.isFinal { response.headers["x-should-retry"] = "false" }
            for header in headers { response.headers.add(header.name, header.value) }
            return response
        }
        var writer = JSONWriter()
        write(to: &writer, requestID: requestID)
        var response = Response(
            status: kind.status, contentType: "application/problem+json", bytes: writer.bytes)
        for header in headers { response.headers.add(header.name, header.value) }
        return response
    }

    func write(to writer: inout JSONWriter, requestID: String?) {
        writer.object { writer in
            writer.field("type", "urn:renga:problem:" + kind.rawValue)
            writer.field("title", kind.title)
            writer.field("status", kind.status)
            writer.field("detail", detail)
            if let requestID { writer.field("request_id", requestID) }
            if let field { writer.field("field", field) }
            if let limit { writer.field("limit", limit) }
            for member in members { writer.field(member.name, member.value) }
        }
    }
}
