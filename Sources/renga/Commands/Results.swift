import JSON

extension Command {
    static let results = Command(
        name: "results", summary: "print finished jobs as JSONL",
        flags: [
            Flag("batch", "NAME", "results of this batch (name or id), in the order of its input"),
            Flag("queue", "NAME", "results of this queue, in the order in which they finished"),
            Flag("all", "all results, in the order in which they finished"),
            Flag("state", "STATE", "only jobs that ended so: succeeded, failed or cancelled"),
            Flag("limit", "N", "at most this many"),
            Flag("after", "CURSOR", "start after the line with this “cursor”"),
            Flag("out", "FILE|-", "write to a file, which appears once it is complete"),
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
            throw UsageError("name the results: --batch NAME, --queue NAME or --all")
        }
        let limit = try invocation.integer("limit", in: 1...1_000_000_000)
        let target = try ResultsTarget(invocation["out"] ?? "-")
        let server = try ServerClient(invocation)
        if invocation.has("wait") {
            guard let batch else { throw UsageError("--wait needs --batch NAME") }
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
