import JSON

/// The fake provider, a process of its own: what it was asked and what it shall do.
struct Simulated: Sendable {
    let child: Child
    let client: Client

    var url: String { client.url }

    /// One call for a message as it came and as it ended; times in milliseconds UTC.
    struct Call: Sendable {
        let arrived: Int
        let finished: Int?
        let status: Int?
        let fault: String?
        let digest: String
    }

    func stats() async throws -> JSON { try await client.get("/_sim/stats") }

    func calls() async throws -> Int { try await stats().integer("calls") }

    func inFlight() async throws -> Int { try await stats().integer("in_flight") }

    /// Every call for a message, in the order of arrival.
    func journal() async throws -> [Call] {
        var calls: [Call] = []
        var after = 0
        while true {
            let page = try await client.get("/_sim/journal?limit=5000&after=\(after)")
            let entries = page["data"]?.elements ?? []
            guard !entries.isEmpty else { return calls }
            after = page.integer("next_after")
            calls += entries.filter { $0["endpoint"]?.string == "messages" }.map(Call.init)
        }
    }

    /// Changes options by the names that `renga simulate` has for them.
    func change(_ options: [String: String]) async throws {
        var json = JSONWriter()
        json.object { json in
            for (name, value) in options.sorted(by: { $0.key < $1.key }) { json.field(name, value) }
        }
        let answer = try await client.call("POST", "/_sim/settings", json.bytes)
        try demand(answer.status == 200, "simulator: \(answer.status) \(answer.text)")
    }

    func reset() async throws {
        let answer = try await client.call("POST", "/_sim/reset")
        try demand(answer.status == 200, "simulator: \(answer.status) \(answer.text)")
    }
}

extension Simulated.Call {
    fileprivate init(_ entry: JSON) {
        arrived = entry.integer("arrived_ms")
        finished = entry["finished_ms"]?.int
        status = entry["status"]?.int
        fault = entry["fault"]?.string
        digest = entry["digest"]?.string ?? ""
    }
}

extension JSON {
    /// 0 where there is none.
    func integer(_ key: String) -> Int { self[key]?.int ?? 0 }
}
