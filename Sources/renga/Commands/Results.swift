import JSON

extension Command {
    static let results = Command(
        name: "results", summary: "finished jobs as JSONL",
        flags: [
            Flag("batch", "NAME", "of this batch, by name or id, in the order of its input"),
            Flag("queue", "NAME", "of this queue, in the order in which they finished"),
            Flag("after", "CURSOR", "go on behind a line that had this “cursor”"),
            Flag("wait", "with --batch: wait until all its jobs have ended"),
        ],
        settings: ServerClient.settings, secrets: ServerClient.secrets
    ) { invocation in
        let batch = invocation["batch"]
        guard batch == nil || invocation["queue"] == nil else {
            throw UsageError("--batch and --queue exclude each other")
        }
        let server = try ServerClient(invocation)
        if invocation.has("wait") {
            guard let batch else { throw UsageError("--wait needs --batch") }
            var follower = BatchFollower(server: server, batch: batch)
            _ = try await follower.run()
        }
        let query = [
            ("batch_id", batch), ("queue", invocation["queue"]), ("order", batch.map { _ in "input" }),
            ("after", invocation["after"]),
        ]
        try await server.stream("/v1/results", query: query) { try Console.write($0) }
        return .done
    }
}
