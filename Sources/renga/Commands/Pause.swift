import JSON

extension Command {
    static let pause = Command(
        name: "pause", summary: "queue NAME or route NAME: claim nothing more of it",
        arguments: "queue|route NAME",
        argumentCount: 2...2, settings: ServerClient.settings, secrets: ServerClient.secrets,
        details: "Calls in flight finish; jobs wait. `renga status` lists queues and routes."
    ) { try await PauseSwitch.set($0, paused: true) }

    static let resume = Command(
        name: "resume", summary: "queue NAME or route NAME: go on with it", arguments: "queue|route NAME",
        argumentCount: 2...2, settings: ServerClient.settings, secrets: ServerClient.secrets
    ) { try await PauseSwitch.set($0, paused: false) }
}

private enum PauseSwitch {
    static func set(_ invocation: Invocation, paused: Bool) async throws -> ExitStatus {
        let (kind, name) = (invocation.arguments[0], invocation.arguments[1])
        guard ["queue", "route"].contains(kind) else {
            throw UsageError(
                "“\(kind)” is neither queue nor route: renga \(invocation.command.name) queue NAME")
        }
        let server = try ServerClient(invocation)
        let path =
            "/v1/\(kind)s/"
            + name.split(separator: "/").map { Query.encoded(String($0)) }.joined(separator: "/")
        _ = try await server.call("PATCH", path, body: Array("{\"paused\":\(paused)}".utf8))
        try Console.print("\(kind) \(name) is \(paused ? "paused" : "running")")
        return .done
    }
}
