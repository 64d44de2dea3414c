import JSON
import System
import Testing

extension Proofs {
    /// The example of the repository: a small model first, and the stronger one where the small one is not sure.
    @Suite struct CascadeProof {
        @Test
        func `unsure answers go to the stronger model, and each call is paid for as the provider counts`()
            async throws
        {
            try await Scenario.run { scenario in
                let simulated = try await scenario.simulator(["latency": "20ms"])
                let server = try await scenario.serve(simulated)
                _ = try scenario.work(simulated)
                let out = scenario.folder.path + "/results.jsonl"
                let run = try await scenario.finish(
                    ["enqueue", try example(), "--wait", "--out", out], ["RENGA_URL": server.url])
                try demand(run.status == .status(0), "enqueue ended with \(run.status): \(run.errors)")

                let jobs = try await server.client.get("/v1/jobs?queue=cascade&limit=500&include=response")
                let all = jobs["data"]?.elements ?? []
                try demand(all.count >= 20, "only \(all.count) jobs")
                try demand(
                    all.allSatisfy { $0["state"]?.string == "succeeded" },
                    "not all succeeded: \(jobs.raw.count)")
                var escalated = 0
                for job in all { escalated += try check(job) ? 1 : 0 }
                try demand(escalated > 0 && escalated < all.count, "\(escalated) of \(all.count) escalated")
                try demand(
                    try await simulated.calls() == all.count + escalated, "calls are not one for each try")
            }
        }

        @Test func `a person's word ends what no model could`() async throws {
            try await Scenario.run { scenario in
                let simulated = try await scenario.simulator()
                let server = try await scenario.serve(simulated)
                _ = try scenario.work(simulated)
                let made = try await server.client.post(
                    "/v1/jobs",
                    #"{"prompt":"Name a river.","check":{"labels":["Vltava"],"on_fail":["repair","review"]}}"#
                )
                let id = made.json?["id"]?.string ?? ""
                try await eventually("the job is in review") {
                    try await server.client.get("/v1/jobs/\(id)")["state"]?.string == "review"
                }
                let url = ["RENGA_URL": server.url]
                let shown = try await scenario.finish(["show", id], url)
                try demand(shown.output.contains("must be one of “Vltava”"), "no complaint: \(shown.output)")
                let run = try await scenario.finish(
                    ["review", id, "--edit", "Vltava", "--note", "by hand"], url)
                try demand(run.status == .status(0), "review ended with \(run.status): \(run.errors)")
                let job = try await server.client.get("/v1/jobs/\(id)")
                try demand(job["text"]?.string == "Vltava", "the answer is \(job["text"]?.string ?? "none")")
                let attempts = try await server.client.get("/v1/jobs/\(id)/attempts")
                let verdicts = attempts["data"]?.elements?.compactMap { $0["verdict"]?.string }
                try demand(verdicts == ["repair", "review"], "the history is \(verdicts ?? [])")
            }
        }

        /// Whether the job went to the stronger model; its answer is sure, whichever model gave it.
        private func check(_ job: JSON) throws -> Bool {
            let answer = try JSON.parse(job["text"]?.string ?? "")
            let sure = answer["confidence"]?.double ?? 0
            try demand(sure >= 0.85, "an answer of confidence \(sure) counts")
            let step = job["check_result"]?["step"]?.string
            let isLarge = job["model"]?.string?.contains("sonnet") == true
            try demand(isLarge == (step == "escalate"), "the model and the step differ")
            return isLarge
        }

        private func example() throws -> String {
            let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
            return "/\(root)/Examples/cascade.jsonl"
        }
    }
}
