import HTTPClient

extension Command {
    static let health = Command(
        name: "health",
        summary: "check that the local server is alive (exit status 0 or 1)",
        settings: [Settings.listen, Settings.port, Settings.url],
        details: """
            Calls /health at RENGA_URL, or at RENGA_LISTEN if that is unset. It needs no key. Use it for container
            health checks.
            """
    ) { invocation in
        let url = try address(invocation) + "/health"
        let request = HTTPRequest(
            method: "GET", url: url, timeouts: .init(connect: 2, write: 2, idle: 2, call: 2.5))
        do {
            let response = try await HTTPClient().send(request)
            guard response.status == 200 else { throw Failure("\(url) answered \(response.status)") }
            try Console.print("alive")
            return .done
        } catch let error as HTTPClientError {
            throw Failure("no answer from \(url): \(error)")
        }
    }

    /// Flags count before the environment, and of either the whole address before its parts.
    private static func address(_ invocation: Invocation) throws -> String {
        let isListening = invocation.isFlagged(Settings.listen) || invocation.isFlagged(Settings.port)
        let asksByURL =
            invocation.isFlagged(Settings.url) || (!isListening && invocation.given(Settings.url) != nil)
        return asksByURL ? try invocation.value(of: Settings.url) : try invocation.listenAddress().url
    }
}
