import HTTPClient
import JSON

/// Callers who want it done: again whenever the server is gone or hung up, under an idempotency key.
extension Client {
    func insist(
        _ path: String, _ body: String, key: String, _ statuses: [Int],
        type: String = "application/json", _ isWhole: (Answer) -> Bool = { _ in true }
    ) async throws -> Answer {
        let headers = [("content-type", type), ("idempotency-key", key)]
        let end = ContinuousClock.now + .seconds(60) * Form.patience
        var last = "nothing"
        while ContinuousClock.now < end {
            do {
                let answer = try await call("POST", path, Array(body.utf8), headers: headers)
                if statuses.contains(answer.status), isWhole(answer) { return answer }
                last = "\(answer.status) \(answer.text.prefix(500))"
                try demand(
                    answer.status == 200 || answer.status >= 500 || answer.status == 429,
                    "\(path) was refused: \(last)")
            } catch let error as HTTPClientError {
                last = "\(error)"
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Disappointment("\(path) was not acknowledged: \(last)")
    }

    /// Returns the ids of the jobs, one for each prompt.
    func upload(_ prompts: [String], key: String) async throws -> [String] {
        let lines = prompts.map { #"{"prompt":"\#($0)","max_tokens":16}"# }.joined(separator: "\n") + "\n"
        let answer = try await insist(
            "/v1/jobs/bulk", lines, key: key, [200], type: "application/x-ndjson"
        ) { answer in
            answer.lines.count == prompts.count && answer.lines.allSatisfy { $0["id"] != nil }
        }
        return answer.lines.compactMap { $0["id"]?.string }
    }

    /// Returns the id of one job, taken or done.
    func enqueue(_ prompt: String, key: String) async throws -> String {
        let body = #"{"prompt":"\#(prompt)","max_tokens":16,"tags":["t"]}"#
        return try await insist("/v1/jobs", body, key: key, [200, 202]).json?["id"]?.string ?? ""
    }
}
