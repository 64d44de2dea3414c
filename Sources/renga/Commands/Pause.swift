import JSON

extension Command {
    static let pause = Command(
        name: "pause", summary: "stop claiming jobs of a queue or a route",
        arguments: "queue|route NAME",
        argumentCount: 2...2,
        flags: [Flag("create", "create the queue if it does not exist yet")],
        settings: ServerClient.settings, secrets: ServerClient.secrets,
        details: "Calls in flight finish, and jobs wait. `renga status` lists queues and routes.",
        examples: [
            "renga pause queue tickets", "renga pause route anthropic/claude-haiku-4-5-20251001",
            "renga pause queue nightly --create",
        ]
    ) { try await PauseSwitch.set($0, paused: true) }

    static let resume = Command(
        name: "resume", summary: "go on with a queue or a route", arguments: "queue|route NAME",
        argumentCount: 2...2, settings: ServerClient.settings, secrets: ServerClient.secrets,
        details: """
            For a route this also opens its gate, resets the usage of its limits, and learns again the limits that
            were learned from answers.
            """,
        examples: ["renga resume queue tickets", "renga resume route anthropic/claude-haiku-4-5-20251001"]
    ) { try await PauseSwitch.set($0, paused: false) }
}

private enum PauseSwitch {
    static func set(_ invocation: Invocation, paused: Bool) async throws -> ExitStatus {
        let (kind, name) = (invocation.arguments[0], invocation.arguments[1])
        guard ["queue", "route"].contains(kind) else {
            throw UsageError(
                "“\(kind)” is neither queue nor route; expected: renga \(invocation.command.name) queue NAME")
        }
        let server = try ServerClient(invocation)
        let path =
            "/v1/\(kind)s/"
            + name.split(separator: "/").map { Query.encoded(String($0)) }.joined(separator: "/")
        let mayCreate = paused && kind == "queue" && invocation.has("create")
        do {
            _ = try await server.call(
                "PATCH", path, query: [("create", mayCreate ? "true" : nil)],
                body: Array("{\"paused\":\(paused)}".utf8))
        } catch var error as Failure {
            // The server's words are for programs; on the command line a flag does it.
            error.message = error.message.replacing(
                "GET /v1/queues lists them, and ?create=true makes it",
                with: paused
                    ? "`renga status` lists them, and --create creates it" : "`renga status` lists them")
            error.message = error.message.replacing(
                "GET /v1/routes lists them", with: "`renga status` lists them")
            throw error
        }
        try Console.print("\(kind) \(name) is \(paused ? "paused" : "running")")
        return .done
    }
}
