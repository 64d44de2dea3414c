import JSON

extension ServerClient {
    /// The elements of a list, page by page, at most so many.
    func list(_ path: String, query: [(String, String?)], limit: Int, _ body: ([JSON]) throws -> Void)
        async throws
    {
        var left = limit
        var cursor: String?
        repeat {
            let page = try await call(
                "GET", path, query: query + [("limit", String(min(left, 500))), ("cursor", cursor)])
            guard let elements = page["data"]?.elements else {
                throw Failure("\(base) answered without “data”: check RENGA_URL")
            }
            try body(elements)
            left -= elements.count
            cursor = page["next_cursor"]?.string
        } while cursor != nil && left > 0
    }
}
