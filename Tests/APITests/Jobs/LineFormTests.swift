import HTTPServer
import JSON
import Jobs
import Testing

@testable import API

/// What people have in their files, beside jobs.
@Suite("Forms of lines in an upload")
struct LineFormTests {
    private let harness = Harness()

    private func upload(_ lines: [String], query: String = "") async throws -> [JSON] {
        let text = lines.joined(separator: "\n") + "\n"
        return try await harness.send("POST", "/v1/jobs/bulk" + query, text).lines
    }

    private func made(_ answer: JSON) throws -> NewJob {
        try #require(
            harness.store.look { $0.made[JobID(answer["id"]?.string ?? "") ?? JobID(0)] }, "\(answer.raw)")
    }

    private func details(_ answers: [JSON]) -> [String] {
        answers.map { $0["error"]?["detail"]?.string ?? "" }
    }

    @Test("a line of Anthropic's batch file is the job that it asks for")
    func anthropicBatch() async throws {
        let lines = (0..<3).map {
            #"{"custom_id":"row-\#($0)","params":{"model":"m","max_tokens":20,"messages":[{"role":"user","content":"Colour \#($0)?"}]}}"#
        }
        let answers = try await upload(lines)
        for (index, answer) in answers.enumerated() {
            let job = try made(answer)
            #expect(job.customID == "row-\(index)" && job.route.model == "m" && job.maxTokens == 20)
            let request = try JSON.parse(job.request)
            #expect(request["messages"]?[0]?["content"]?.string == "Colour \(index)?")
        }
        let again = try await upload(lines)
        #expect(again.map { $0["id"]?.string } == answers.map { $0["id"]?.string })
        #expect(again.allSatisfy { $0["status"]?.string == "existing" })
    }

    @Test("a line of OpenAI's batch file is translated, and its own words count before the query's")
    func openAIBatch() async throws {
        let line =
            #"{"custom_id":"row-0","method":"POST","url":"/v1/chat/completions","tags":["own"],"body":{"model":"gpt-4o-mini","messages":[{"role":"system","content":"One word."},{"role":"user","content":"Colour?"}],"max_tokens":20,"temperature":0}}"#
        let job = try made(try await upload([line], query: "?queue=night&tag=other")[0])
        #expect(job.customID == "row-0" && job.queue == "night" && job.tags == ["own"] && job.maxTokens == 20)
        let request = try JSON.parse(job.request)
        #expect(request["system"]?[0]?["text"]?.string == "One word.")
        #expect(request["messages"]?.count == 1 && request["temperature"]?.int == 0)
        #expect(request["model"]?.string == "gpt-4o-mini")
    }

    @Test("what is wrong with a line of a batch file is named as the line has it")
    func wrongBatchLines() async throws {
        let answers = try await upload([
            #"{"custom_id":"a","url":"/v1/embeddings","body":{"input":"x"}}"#,
            #"{"custom_id":"b","params":{"max_tokens":-1,"messages":[{"role":"user","content":"x"}]}}"#,
            #"{"custom_id":"c","body":{"messages":[{"role":"user","content":"x"}],"n":2}}"#,
            #"{"custom_id":"","params":{"messages":[{"role":"user","content":"x"}]}}"#,
        ])
        #expect(
            answers.map { $0["error"]?["field"]?.string } == [
                "url", "params.max_tokens", "body.n", "custom_id",
            ])
        let told = details(answers)
        #expect(told[0].contains("/v1/chat/completions") && told[1].contains("“params.max_tokens”"))
        #expect(told[3].contains("“custom_id”"), "\(told)")
    }

    @Test("whole numbers may have a fraction of zeros, and nulls count as left out")
    func floats() async throws {
        let answers = try await upload([
            #"{"messages":[{"role":"user","content":"a"}],"max_tokens":64.0,"temperature":0.0,"system":null,"stop_sequences":null}"#,
            #"{"prompt":"b","priority":5.0,"max_tokens":64.0}"#,
            #"{"prompt":"c","model":null,"max_tokens":null,"system":null,"custom_id":null,"queue":null,"tags":null,"metadata":null}"#,
            #"{"prompt":"d","priority":5.5}"#,
        ])
        let jobs = try answers.prefix(3).map(made)
        #expect(jobs.map(\.maxTokens) == [64, 64, 1024] && jobs[1].priority == 5)
        let request = try JSON.parse(jobs[0].request)
        #expect(request["max_tokens"]?.int == 64 && request["temperature"]?.numberText == "0.0")
        #expect(request["system"] == nil && request["stop_sequences"] == nil)
        #expect(answers[3]["error"]?["field"]?.string == "priority")
    }

    @Test("the bad line is named with its column, and the others go on")
    func badLines() async throws {
        let rows = [
            (#"{"prompt":"row one","metadata":{"score":NaN}}"#, "column 41"),
            (#"{"messages":[{"role":"user","content":"cut \ud83d here"}]}"#, "column 44"),
            (#"{"prompt":"a"},"#, "column 15"), (#"{"prompt":"one","prompt":"two"}"#, "column 17"),
        ]
        let good = [
            #"{"messages":[{"role":"user","content":"whole \ud83d\ude00"}]}"#,
            #"{"prompt":"nul \u0000 in text"}"#,
            "{\"prompt\":\"sep \u{2028} and \u{FEFF} and 👩‍💻\"}",
        ]
        let answers = try await upload(rows.map(\.0) + good)
        for (row, detail) in zip(rows, details(answers)) {
            #expect(detail.hasPrefix(row.1 + ": "), "\(detail)")
        }
        #expect(answers.dropFirst(rows.count).allSatisfy { $0["status"]?.string == "created" })
        let texts = try answers.dropFirst(rows.count).map { try JSON.parse(made($0).request) }
            .map { $0["messages"]?[0]?["content"]?.string }
        #expect(texts == ["whole 😀", "nul \u{0} in text", "sep \u{2028} and \u{FEFF} and 👩‍💻"])
    }

    @Test("a mark, blank lines, a missing last line end and DOS's end of file are no complaint")
    func marks() async throws {
        let answer = try await harness.send(
            "POST", "/v1/jobs/bulk", "\u{FEFF}\n  \n\"a\"\r\n\t\n\"b\"\n\u{1A}")
        #expect(try answer.lines.map { $0["status"]?.string } == ["created", "created"])
    }

    @Test("rows of something else are named, each with the command that makes jobs of them")
    func foreign() async throws {
        let answers = try await upload([
            #"{"recordId":"r1","modelInput":{"anthropic_version":"bedrock-2023-05-31","messages":[]}}"#,
            #"{"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#,
            #"{"custom_id":"k","request":{"contents":[{"parts":[{"text":"x"}]}]}}"#,
            #"{"text":"a row","label":null}"#,
            #"{"instruction":"x","input":"","output":"y"}"#,
            #"{"conversations":[{"from":"human","value":"x"}]}"#,
            #"[{"prompt":"x"}]"#,
        ])
        let words = ["Bedrock", "Gemini", "Gemini", "data set", "data set", "ShareGPT", "array"]
        for (detail, word) in zip(details(answers), words) {
            #expect(detail.contains(word) && detail.contains("jq -c"), "\(detail)")
        }
    }

    @Test("a fine-tuning row is a request with its first turn as the system prompt")
    func fineTuning() async throws {
        let line =
            #"{"messages":[{"role":"system","content":"Be short."},{"role":"user","content":"hello"},{"role":"assistant","content":"hi"}]}"#
        let request = try JSON.parse(made(try await upload([line])[0]).request)
        #expect(request["system"]?.string == "Be short." && request["messages"]?.count == 2)
        #expect(request["messages"]?[0]?["content"]?.string == "hello")
        let alone = try await upload([#"{"messages":[{"role":"system","content":"Be short."}]}"#])
        #expect(alone[0]["error"]?["detail"]?.string?.contains("messages") == true)
    }

    @Test("a request of a coding agent is passed on as it is, with all its betas")
    func codingAgent() throws {
        let body =
            #"{"model":"claude-haiku-4-5-20251001","max_tokens":32000,"stream":true,"metadata":{"user_id":"u"},"system":[{"type":"text","text":"You are a coding assistant.","cache_control":{"type":"ephemeral","ttl":"1h"}}],"tools":[{"name":"Bash","input_schema":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"command":{"type":"string"}}},"eager_input_streaming":true}],"thinking":{"budget_tokens":31999,"type":"enabled"},"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}"#
        var headers: Headers = ["anthropic-beta": "claude-code-20250219, interleaved-thinking-2025-05-14"]
        headers.add("anthropic-beta", "context-1m-2025-08-07")
        let head = RequestHead(method: "POST", target: "/v1/messages", headers: headers)
        let terms = try CallTerms(head, now: Timestamp(milliseconds: 0), cache: .off)
        var reader = JobParser(harness.api.snapshot, now: Timestamp(milliseconds: 0))
        let job = try reader.job(call: try JSON.parse(body), terms)
        #expect(String(decoding: job.request, as: UTF8.self) == body)
        #expect(
            job.betas == [
                "claude-code-20250219", "interleaved-thinking-2025-05-14", "context-1m-2025-08-07",
            ])
    }
}
