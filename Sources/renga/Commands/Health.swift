import HTTPClient

extension Command {
    static let health = Command(
        name: "health",
        summary: "whether the server on this machine is alive: status 0 or 1, for container checks",
        settings: [Settings.listen, Settings.port],
        details: "Asks for /health at RENGA_LISTEN's port. It needs no key."
    ) { invocation in
        let url = try invocation.listenAddress().url + "/health"
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
}
