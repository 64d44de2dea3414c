import JSON
import Jobs

extension Command {
    static let show = Command(
        name: "show", summary: "show one job: state, attempts, cost, prompt, answer",
        arguments: "[ID]", argumentCount: 0...1,
        flags: [
            Flag(
                "custom-id", "ID", "the job with this custom_id"),
            Flag("queue", "NAME", "with --custom-id: the queue of the job"),
            Flag("json", "print JSON, as the API returns it"),
        ],
        settings: ServerClient.settings, secrets: ServerClient.secrets,
        examples: ["renga show job_1m8j3xf4t0000", "renga show --custom-id ticket-17"]
    ) { invocation in
        let server = try ServerClient(invocation)
        let path = "/v1/jobs/\(Query.encoded(try await jobID(invocation, server)))"
        let job = try await server.call("GET", path)
        if invocation.has("json") {
            try Console.write(Array(job.raw) + Array("\n".utf8))
            return .done
        }
        let attempts = try await server.call("GET", path + "/attempts")["data"]?.elements ?? []
        try Console.print(JobPage(job: job, attempts: attempts, now: SystemNow().now().timestamp).text)
        return .done
    }

    private static func jobID(_ invocation: Invocation, _ server: ServerClient) async throws -> String {
        guard let own = invocation["custom-id"] else {
            guard let id = invocation.arguments.first else {
                throw UsageError("name the job: renga show ID, or renga show --custom-id ID")
            }
            guard invocation["queue"] == nil else { throw UsageError("--queue needs --custom-id") }
            return id
        }
        guard invocation.arguments.isEmpty else {
            throw UsageError("give either ID or --custom-id, not both")
        }
        let found = try await server.call(
            "GET", "/v1/jobs", query: [("custom_id", own), ("queue", invocation["queue"]), ("limit", "2")])
        let jobs = found["data"]?.elements ?? []
        guard let job = jobs.first else {
            let place = invocation["queue"].map { " in queue \($0)" } ?? ""
            throw Failure("no job\(place) has the custom_id “\(own)”; to list jobs: renga jobs")
        }
        guard jobs.count == 1 else {
            let queues = jobs.map { $0.text("queue") }.joined(separator: ", ")
            throw Failure(
                "several jobs have the custom_id “\(own)”, in the queues \(queues), …: add --queue NAME")
        }
        return job.text("id")
    }
}

/// One job on a page.
struct JobPage {
    let job: JSON
    let attempts: [JSON]
    let now: Timestamp

    var text: String {
        let rows = facts.filter { !$0[1].isEmpty }
        var parts = [Columns.text(rows)]
        if !attempts.isEmpty { parts.append("attempts\n" + Columns.text(attempts.map(line), indent: 2)) }
        if let request = job["request"], !request.isNull {
            parts.append("prompt\n" + PromptText.text(request))
        }
        if let text = job["text"]?.string { parts.append("answer\n" + PromptText.indented(text)) }
        return parts.joined(separator: "\n\n")
    }

    private var facts: [[String]] {
        [
            ["job", job.text("id")], ["state", state], ["waits for", waiting], ["error", error],
            ["check", check],
            ["custom_id", job.text("custom_id")], ["queue", job.text("queue")],
            ["batch", job.text("batch_id")],
            ["tags", (job["tags"]?.elements ?? []).compactMap(\.string).joined(separator: ", ")],
            ["model", job.text("model") + (job.isTrue("simulated") ? "  (simulated)" : "")],
            ["created", job.text("created_at")], ["started", job.text("started_at")],
            ["finished", job.text("finished_at")], ["deadline", job.text("deadline")],
            ["attempts", "\(job.number("attempts_counted")) of \(job.number("max_attempts")) counted"],
            ["usage", usage], ["cost", cost],
        ]
    }

    private var state: String {
        guard let lease = job["lease"], !lease.isNull else { return job.text("state") }
        return "\(job.text("state")) by \(lease.text("worker"))"
    }

    private var waiting: String {
        job["waiting_for"].map { $0.isNull ? "" : JobText.waiting($0, now, limit: .max) } ?? ""
    }

    private var error: String {
        guard let error = job["error"], !error.isNull else { return "" }
        let status = error["status"]?.int.map { " (\($0))" } ?? ""
        return "\(error.text("type"))\(status): \(Text.oneLine(error.text("message"), limit: .max))"
    }

    /// Whether the answer passed, by which step, and what was wrong with the last one that did not.
    private var check: String {
        guard let result = job["check_result"], !result.isNull else { return "" }
        let verdict = result.isTrue("passed") ? "passed" : "failed"
        let reason = result.text("reason")
        var parts = ["\(verdict) (\(result.text("step")))"]
        if !reason.isEmpty {
            parts.append((result.isTrue("passed") ? "before: " : "") + Text.oneLine(reason, limit: .max))
        }
        if let review = result["review"], !review.isNull {
            parts.append(
                "a person: \(review.text("action")) \(Text.oneLine(review.text("note"), limit: .max))")
        }
        return parts.joined(separator: "; ")
    }

    private var usage: String {
        guard let usage = job["usage"], !usage.isNull else { return "" }
        return
            "\(Text.number(usage.number("input_tokens"))) tokens in, \(Text.number(usage.number("output_tokens"))) out"
    }

    private var cost: String {
        let cached = job.isTrue("cached") ? "  cached, saved $\(job.text("saved_usd"))" : ""
        return "$\(job.text("cost_usd"))\(cached)\(unconfirmedCost)"
    }

    /// What calls may have cost whose answers never came.
    private var unconfirmedCost: String {
        let sum = attempts.reduce(Money.zero) { sum, attempt in
            sum + (Money(dollars: attempt.text("unconfirmed_cost_usd")) ?? .zero)
        }
        return sum == .zero
            ? "" : "  and up to \(Text.dollars(sum)) unconfirmed, as their answers never came"
    }

    private func line(_ attempt: JSON) -> [String] {
        let error = attempt["error"].flatMap { $0.isNull ? nil : "\($0.text("type")): \($0.text("message"))" }
        return [
            "\(attempt.number("number"))", attempt.text("opened_at"),
            attempt["verdict"]?.string ?? attempt.text("status"),
            attempt.text("worker"), "$" + attempt.text("cost_usd"),
            BudgetText.isZero(attempt.text("unconfirmed_cost_usd"))
                ? "" : "$\(attempt.text("unconfirmed_cost_usd")) unconfirmed",
            Text.oneLine(error ?? "", limit: .max),
        ]
    }
}
