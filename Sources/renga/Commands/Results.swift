import JSON

extension Command {
    static let results = Command(
        name: "results", summary: "finished jobs as JSONL",
        flags: [
            Flag("batch", "NAME", "of this batch, by name or id, in the order of its input"),
            Flag("queue", "NAME", "of this queue, in the order in which they finished"),
            Flag("all", "of everything that is kept, in the order in which they finished"),
            Flag("state", "STATE", "only those that ended so: succeeded, failed or cancelled"),
            Flag("limit", "N", "at most so many"),
            Flag("after", "CURSOR", "go on behind a line that had this “cursor”"),
            Flag("out", "FILE|-", "into a file, which appears once it is complete"),
            Flag("wait", "with --batch: wait until all its jobs have ended"),
        ],
        settings: ServerClient.settings, secrets: ServerClient.secrets,
        examples: [
            "renga results --batch jobs.jsonl-1a2b3c4d --wait --out results.jsonl",
            "renga results --queue tickets --state failed --limit 20",
            "renga results --all | jq -r .text",
        ]
    ) { invocation in
        let batch = invocation["batch"]
        guard [batch != nil, invocation["queue"] != nil, invocation.has("all")].count(where: \.self) == 1
        else {
            throw UsageError("say which results: --batch NAME, --queue NAME or --all; one of these")
        }
        let limit = try invocation.integer("limit", in: 1...1_000_000_000)
        let target = try ResultsTarget(invocation["out"] ?? "-")
        let server = try ServerClient(invocation)
        if invocation.has("wait") {
            guard let batch else { throw UsageError("--wait needs --batch") }
            var follower = BatchFollower(server: server, batch: batch)
            _ = try await follower.run()
        }
        let query = [
            ("batch_id", batch), ("queue", invocation["queue"]), ("order", batch.map { _ in "input" }),
            ("after", invocation["after"]), ("state", invocation["state"]),
            ("limit", limit.map { String($0) }),
        ]
        try await write(query, server, to: target, named: invocation["out"] ?? "-")
        return .done
    }

    /// A file says how many lines it has; standard output has the lines alone.
    private static func write(
        _ query: [(String, String?)], _ server: ServerClient, to target: ResultsTarget,
        named path: String
    ) async throws {
        var sink = try ResultsSink(target)
        var lines = 0
        try await server.stream("/v1/results", query: query) { piece in
            lines += piece.count { $0 == UInt8(ascii: "\n") }
            try sink.append(piece)
        }
        try sink.finish()
        guard case .file = target else { return }
        Console.note("\(Text.count(lines, "line")) written to \(path)")
    }
}
