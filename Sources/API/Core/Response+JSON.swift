import HTTPServer
import JSON

extension Response {
    static func json(
        status: Int = 200, headers: [(name: String, value: String)] = [], _ body: (inout JSONWriter) -> Void
    ) -> Response {
        var writer = JSONWriter()
        body(&writer)
        var response = Response(status: status, contentType: "application/json", bytes: writer.bytes)
        for header in headers { response.headers.add(header.name, header.value) }
        return response
    }

    static func ndjson(_ produce: @escaping @Sendable (ResponseWriter) async throws -> Void) -> Response {
        Response(headers: ["content-type": "application/x-ndjson"], body: .stream(produce))
    }
}
