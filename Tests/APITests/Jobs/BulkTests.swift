import HTTPServer
import JSON
import Jobs
import Testing

@testable import API

@Suite("POST /v1/jobs/bulk")
struct BulkTests {
    let harness = Harness()

    private func upload(
        _ text: String, query: String = "", isCut: Bool = false, headers: Headers = [:],
        to harness: Harness? = nil
    ) async throws -> Answer {
        let stream = BodyStream(Array(text.utf8), isCut: isCut)
        return try await (harness ?? self.harness).send(
            "POST", "/v1/jobs/bulk" + query, .stream(stream), headers: headers)
    }

    @Test("every line is answered in order, and a bad one does not spoil the others")
    func answers() async throws {
        let answer = try await upload(
            """
            "a prompt"
            {"prompt":"two","custom_id":"k"}
            {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"three"}]}
            {"prompt":"four","priority":1000}
            not json

            {"prompt":"other","custom_id":"k"}
            7
            "last, without a line feed"
            """)
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "application/x-ndjson")
        let lines = try answer.lines
        #expect(
            lines.map { $0["status"]?.string ?? "-" } == [
                "created", "created", "created", "-", "-", "-", "-", "created",
            ])
        #expect(lines[3]["error"]?["field"]?.string == "priority")
        #expect(lines[4]["error"]?["type"]?.string == "urn:renga:problem:invalid-json")
        #expect(lines[4]["error"]?["detail"]?.string?.hasPrefix("column 1: ") == true)
        #expect(lines[5]["error"]?["type"]?.string == "urn:renga:problem:custom-id-taken")
        #expect(lines[5]["error"]?["id"]?.string == lines[1]["id"]?.string)
        #expect(lines[6]["error"]?["status"]?.int == 400)
        #expect(harness.store.look { $0.jobs.count } == 4)
    }

    @Test("the query fills in what lines leave out")
    func defaults() async throws {
        let answer = try await upload(
            #"""
            "a"
            {"prompt":"b","queue":"day","model":"m3","tags":["u"],"max_tokens":8,"system":"S"}
            {"messages":[{"role":"user","content":"c"}],"model":"m4"}
            """#, query: "?queue=night&model=m2&system=Be%20brief.&max_tokens=7&tag=t")
        let jobs = try answer.lines.map { line in
            try #require(harness.store.look { $0.made[JobID(line["id"]?.string ?? "") ?? JobID(0)] })
        }
        #expect(jobs.map(\.queue) == ["night", "day", "night"])
        #expect(jobs.map(\.route.model) == ["m2", "m3", "m4"])
        #expect(jobs.map(\.maxTokens) == [7, 8, 7])
        #expect(jobs.map(\.tags) == [["t"], ["u"], ["t"]])
        #expect(
            try jobs.map { try JSON.parse($0.request)["system"]?.string } == ["Be brief.", "S", "Be brief."])
    }

    @Test("the same upload under the same key doubles nothing, a different one is told apart by line")
    func idempotency() async throws {
        let first = try await upload("\"a\"\n\"b\"\n", headers: ["idempotency-key": "up-1"]).lines
        let again = try await upload("\"a\"\n\"x\"\n\"c\"\n", headers: ["idempotency-key": "up-1"]).lines
        #expect(again[0]["id"]?.string == first[0]["id"]?.string)
        #expect(again[0]["status"]?.string == "existing")
        #expect(again[1]["error"]?["status"]?.int == 422)
        #expect(again[2]["status"]?.string == "created")
    }

    @Test("what came before a cut is kept, a half line is not")
    func cut() async throws {
        let answer = try await upload("\"a\"\n\"b\"\n\"c\"", isCut: true)
        #expect(answer.problem == "upload-cut")
        #expect(harness.store.look { $0.jobs.count } == 2)
    }

    @Test("a batch is made and filled; a dry run makes neither batch nor job")
    func batch() async throws {
        let dry = try await upload("\"a\"\n\"a\"\n{}\n", query: "?batch=nightly&dry_run=true")
        #expect(try dry.lines.map { $0["status"]?.string ?? "-" } == ["new", "duplicate", "-"])
        #expect(try dry.lines[0]["at_most_usd"]?.string?.hasPrefix("0.005") == true)
        #expect(harness.store.look { $0.jobs.isEmpty && $0.batches.isEmpty })
        _ = try await upload("\"a\"\n", query: "?batch=nightly")
        #expect(harness.store.look { $0.jobs.values.map(\.batch) == Array($0.batches.keys) })
    }

    @Test("a dry run knows existing and conflicting keys")
    func dryKeys() async throws {
        let id = try await harness.job(#"{"custom_id":"k","prompt":"x"}"#)
        let dry = try await upload(
            "{\"custom_id\":\"k\",\"prompt\":\"x\"}\n{\"custom_id\":\"k\",\"prompt\":\"y\"}\n",
            query: "?dry_run=true")
        #expect(try dry.lines.map { $0["status"]?.string } == ["existing", "conflict"])
        #expect(try dry.lines.map { $0["id"]?.string } == [id.description, id.description])
    }

    @Test("many lines go into the store in portions, and all are answered")
    func portions() async throws {
        let text = (0..<1_234).map { "\"prompt \($0)\"\n" }.joined()
        let answer = try await upload(text)
        #expect(try answer.lines.count == 1_234)
        #expect(harness.store.look { $0.portions } == [500, 500, 234])
        let order = try answer.lines.compactMap { JobID($0["id"]?.string ?? "") }
        #expect(order == order.sorted())
    }

    @Test("when the disk is full, the lines say so")
    func full() async throws {
        harness.store.fail(JobStoreError(.full, "/secret/path"))
        let lines = try await upload("\"a\"\n").lines
        #expect(lines[0]["error"]?["type"]?.string == "urn:renga:problem:store-full")
        #expect(lines[0]["error"]?["status"]?.int == 507)
    }

    @Test("too long a line is refused alone, too many lines end the upload")
    func limits() async throws {
        let small = Harness({ $0.limits.lineBytes = 10 })
        let lines = try await upload("\"a\"\n\"aaaaaaaaaaaaaaaa\"\n\"b\"\n", to: small).lines
        #expect(lines.map { $0["error"]?["limit"]?.int } == [nil, 10, nil])
        let few = Harness({ $0.limits.bulkLines = 2 })
        let answer = try await upload("\"a\"\n\"b\"\n\"c\"\n", to: few)
        #expect(answer.problem == "too-many-jobs")
        #expect(few.store.look { $0.jobs.count } == 2)
    }

    @Test("an avalanche of errors is answered in brief")
    func brief() async throws {
        let harness = Harness({ $0.limits.bulkErrorBytes = 1 })
        let lines = try await upload("x\ny\n", to: harness).lines
        #expect(lines[1]["error"]?["type"]?.string == "urn:renga:problem:invalid-json")
        #expect(lines[1]["error"]?["detail"]?.string?.hasPrefix("too many errors") == true)
    }

    @Test("nothing at all is no upload")
    func empty() async throws {
        #expect(try await upload("\n \r\n").problem == "missing-body")
    }
}

@Suite("Lines of an upload")
struct LineSplitterTests {
    @Test("are the same however the bytes are cut", arguments: 1...9)
    func cuts(size: Int) {
        let bytes = Array("\u{FEFF}one\r\ntwo\n\n  \nlonger than ten\nthree".utf8)
        var splitter = LineSplitter(limit: 10)
        var lines: [LineSplitter.Line] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            lines += splitter.append(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        lines += splitter.finish()
        #expect(
            lines == [
                .text(Array("one\r".utf8)), .text(Array("two".utf8)), .tooLong, .text(Array("three".utf8)),
            ])
    }
}
