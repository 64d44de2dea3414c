import HTTPClient
import JSON

/// What callers bring while a process dies: under idempotency keys, and again until it is acknowledged.
enum Load: Sendable {
    /// Jobs one by one, some of them with the same prompt.
    case jobs
    /// Jobs in one upload of several portions.
    case bulk
    /// Ten megabytes of jobs, of which one is large: past the length at which the log is copied.
    case large
    /// A batch of several portions.
    case batch
    /// Somebody waits for an answer, as a stream.
    case call

    private static let portions = 600

    /// How the provider answers: in no particular order, and slowly where somebody listens.
    var pace: [String: String] {
        let latency = ["latency": "10ms", "latency-sigma": "1"]
        guard case .call = self else { return latency }
        return latency.merging(["output-rate": "200"]) { $1 }
    }

    /// Returns the ids that were acknowledged.
    func deliver(to client: Client) async throws -> [String] {
        switch self {
        case .jobs:
            var ids: [String] = []
            for number in 0..<40 {
                ids.append(try await client.enqueue("Say the number \(number % 30).", key: "job-\(number)"))
            }
            return ids
        case .bulk:
            return try await client.upload((0..<Self.portions).map { "Say the number \($0)." }, key: "bulk")
        case .large:
            let word = String(repeating: "word ", count: 20_000)
            let prompts = (0..<90).map { "\($0) \(word)" } + ["90 " + String(repeating: word, count: 6)]
            return try await client.upload(prompts, key: "bulk")
        case .batch:
            let requests = (0..<Self.portions).map { number in
                #"{"custom_id":"r-\#(number)","params":{"model":"claude-haiku-4-5-20251001","max_tokens":16,"messages":[{"role":"user","content":"Say the number \#(number)."}]}}"#
            }
            let body = #"{"requests":[\#(requests.joined(separator: ","))]}"#
            let answer = try await client.insist("/v1/messages/batches", body, key: "batch", [200])
            return [answer.json?["id"]?.string ?? ""]
        case .call:
            let body =
                #"{"model":"claude-haiku-4-5-20251001","max_tokens":60,"stream":true,"messages":[{"role":"user","content":"A long story, please."}]}"#
            let answer = try await client.insist("/v1/messages", body, key: "story", [200]) {
                $0.text.contains("event: message_stop")
            }
            return [answer.headers["x-renga-job"] ?? ""]
        }
    }

    /// Waits for the end of everything that was acknowledged, and sees that it is all there, once.
    func check(_ ids: [String], _ client: Client, _ record: Record, arePruned: Bool) async throws {
        guard case .batch = self else {
            try await eventually("every job is finished", within: .seconds(60), every: .milliseconds(50)) {
                try await record.unfinished() == 0
            }
            guard !arePruned else { return }
            let jobs = try await record.jobs()
            try demand(
                Set(ids).count == jobs.count, "\(Set(ids).count) were acknowledged, \(jobs.count) are there")
            for id in Set(ids) {
                let state = try await client.get("/v1/jobs/\(id)")["state"]?.string ?? "gone"
                try demand(state == "succeeded", "\(id) is \(state)")
            }
            return
        }
        try await eventually("the batch has ended", within: .seconds(60), every: .milliseconds(50)) {
            try await client.get("/v1/messages/batches/\(ids[0])")["processing_status"]?.string == "ended"
        }
        let lines = try await client.call("GET", "/v1/messages/batches/\(ids[0])/results").lines
        let succeeded = lines.filter { $0["result"]?["type"]?.string == "succeeded" }
        let names = Set(succeeded.compactMap { $0["custom_id"]?.string })
        try demand(
            lines.count == Self.portions && names.count == Self.portions,
            "\(lines.count) results, \(names.count) of them different and good")
        let listed = try await client.get("/v1/messages/batches")["data"]?.count
        try demand(listed == 1, "\(listed ?? 0) batches are shown")
    }
}
