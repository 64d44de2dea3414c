import JSON
import Jobs

extension Command {
    static let jobs = Command(
        name: "jobs", summary: "list jobs, newest first",
        flags: FilterFlags.all + [
            Flag("limit", "N", "at most this many (50)"), Flag("json", "print JSON, one job a line"),
        ],
        settings: ServerClient.settings, secrets: ServerClient.secrets
    ) { invocation in
        let server = try ServerClient(invocation)
        let limit = try invocation.integer("limit", in: 1...10_000_000) ?? 50
        let asJSON = invocation.has("json")
        var found: [JSON] = []
        try await server.list("/v1/jobs", query: FilterFlags.given(invocation), limit: limit) { jobs in
            guard asJSON else { return found += jobs }
            try Console.write(jobs.flatMap { $0.raw + [UInt8(ascii: "\n")] })
        }
        if asJSON { return .done }
        try Console.print(
            page: found.isEmpty ? "no jobs match" : JobText.table(found, now: SystemNow().now().timestamp))
        return .done
    }
}
