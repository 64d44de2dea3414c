import JSON

extension Command {
    static let review = Command(
        name: "review", summary: "decide on an answer that failed its check", arguments: "ID",
        argumentCount: 1...1,
        flags: [
            Flag("approve", "accept the answer as it is"),
            Flag("edit", "TEXT", "use this text instead"),
            Flag("reject", "fail the job"),
            Flag("note", "TEXT", "the reason; kept with the job"),
        ], settings: ServerClient.settings, secrets: ServerClient.secrets,
        details: """
            `renga jobs --state review` lists the jobs that wait. `renga show ID` says what is wrong with the answer.
            """
    ) { invocation in
        let server = try ServerClient(invocation)
        let path = "/v1/jobs/\(Query.encoded(invocation.arguments[0]))/review"
        let job = try await server.call("POST", path, body: try body(of: invocation))
        try Console.print("\(job.text("id")) \(job.text("state"))")
        return .done
    }

    private static func body(of invocation: Invocation) throws -> [UInt8] {
        let edit = invocation.all("edit").last
        let actions = [
            invocation.has("approve") ? "approve" : nil, edit == nil ? nil : "edit",
            invocation.has("reject") ? "reject" : nil,
        ].compactMap(\.self)
        guard let action = actions.first, actions.count == 1 else {
            throw UsageError(
                "choose one: --approve, --edit TEXT or --reject")
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("action", action)
            if let edit { writer.field("text", edit) }
            if let note = invocation.all("note").last { writer.field("note", note) }
        }
        return writer.bytes
    }
}
