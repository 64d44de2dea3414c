import JSON
import Jobs
import Testing

@testable import renga

@Suite struct LineMakerTests {
    private func jobs(_ lines: [String], _ defaults: LineDefaults = LineDefaults(), isText: Bool = false)
        throws -> [JSON]
    {
        var maker = LineMaker(defaults: defaults, isText: isText)
        return try lines.compactMap { try maker.job(Array($0.utf8)).map { try JSON.parse($0.bytes) } }
    }

    private func keys(_ lines: [String], _ defaults: LineDefaults = LineDefaults()) throws -> [String] {
        try jobs(lines, defaults).map { $0.text("custom_id") }
    }

    @Test func `a line keeps its key when lines are added, removed or moved around it`() throws {
        let before = try keys([#""one""#, #""two""#, #""three""#])
        let after = try keys([#""zero""#, #""three""#, #""one""#])
        #expect(after[1] == before[2] && after[2] == before[0])
        #expect(Set(before + after).count == 4)
    }

    @Test func `the same line again is another job, told apart by how often it came`() throws {
        let twice = try keys([#""one""#, #""one""#, #""two""#])
        #expect(Set(twice).count == 3)
        #expect(try keys([#""two""#, #""one""#, #""one""#]) == [twice[2], twice[0], twice[1]])
    }

    @Test func `white space and the order of members make no other key, and defaults do`() throws {
        let one = try keys([#"{"prompt":"hi","priority":1}"#])
        let other = try keys([#" { "priority" : 1, "prompt":"h\u0069" } "#])
        #expect(one == other)
        #expect(try keys([#"{"prompt":"hi","priority":1}"#], LineDefaults(model: "m")) != one)
    }

    @Test func `a key of its own is kept`() throws {
        #expect(try keys([#"{"custom_id":"ticket-1","prompt":"hi"}"#]) == ["ticket-1"])
    }

    @Test func `a string is a prompt, filled up with the defaults`() throws {
        let defaults = LineDefaults(queue: "q", tags: ["a"], model: "m", system: "s", maxTokens: 5)
        let job = try jobs([#""hello \"you\"""#], defaults)[0]
        #expect(job.text("prompt") == #"hello "you""# && job.text("queue") == "q" && job.text("model") == "m")
        #expect(job.text("system") == "s" && job.number("max_tokens") == 5)
        #expect(job["tags"]?.elements?.compactMap(\.string) == ["a"])
    }

    @Test func `a Messages request becomes a job, with its own words before the defaults`() throws {
        let line = #"{"model":"own","messages":[{"role":"user","content":"hi"}],"metadata":{"user_id":"u"}}"#
        let job = try jobs([line], LineDefaults(queue: "q", model: "m", maxTokens: 5))[0]
        let request = try #require(job["request"])
        #expect(job.text("queue") == "q" && job["model"] == nil)
        #expect(request.text("model") == "own" && request.number("max_tokens") == 5)
        #expect(request["metadata"]?.text("user_id") == "u")
    }

    @Test func `a job keeps what it says, and its request is filled up inside`() throws {
        let line = #"{"queue":"own","tags":[],"request":{"messages":[{"role":"user","content":"hi"}]}}"#
        let job = try jobs([line], LineDefaults(queue: "q", tags: ["a"], model: "m", system: "s"))[0]
        #expect(job.text("queue") == "own" && job["tags"]?.elements?.isEmpty == true)
        #expect(
            job["request"]?.text("model") == "m" && job["request"]?.text("system") == "s"
                && job["model"] == nil)
    }

    @Test func `what is no job goes to the server as it is, and blank lines go nowhere`() {
        var maker = LineMaker(defaults: LineDefaults(), isText: false)
        #expect(maker.job(Array("not json".utf8))?.bytes == Array("not json".utf8))
        #expect(maker.job(Array("17".utf8))?.bytes == Array("17".utf8))
        #expect(maker.job(Array(" \t".utf8)) == nil && maker.job([]) == nil)
    }

    @Test func `plain lines are prompts, whatever is in them`() throws {
        let found = try jobs([#"say "hi" \ {"#, "", "é"], isText: true)
        #expect(found.map { $0.text("prompt") } == [#"say "hi" \ {"#, "é"])
        #expect(try jobs(["\u{FEFF}first"], isText: true)[0].text("prompt") == "first")
    }

    @Test func `prompts are told apart by what shapes the answer alone`() {
        var maker = LineMaker(defaults: LineDefaults(), isText: false)
        let lines = [#"{"prompt":"a","priority":1}"#, #"{"prompt":"a","tags":["x"]}"#, #"{"prompt":"b"}"#]
        let shapes = lines.compactMap { maker.job(Array($0.utf8))?.shape }
        #expect(shapes[0] == shapes[1] && shapes[0] != shapes[2])
    }

    @Test func `a file's batch is the same for the same command, and within the limits of a name`() {
        let defaults = LineDefaults(model: "m")
        #expect(defaults.batchName(file: "dir/in.jsonl") == defaults.batchName(file: "in.jsonl"))
        #expect(defaults.batchName(file: "in.jsonl") != LineDefaults().batchName(file: "in.jsonl"))
        #expect(defaults.batchName(file: String(repeating: "😀", count: 200)).utf8.count <= 128)
        #expect(defaults.batchName(file: "-").hasPrefix("stdin-"))
    }
}

@Suite struct LedgerTests {
    @Test func `answers are kept in the order of the lines`() throws {
        var outcomes = LineOutcomes()
        let answers = [
            #"{"id":"job_0000000000001","status":"created"}"#, #"{"error":{"detail":"no such field"}}"#,
            #"{"id":"job_0000000000002","status":"existing"}"#,
        ]
        let reasons = try zip(answers, [1, 3, 4]).map { outcomes.take(try JSON.parse($0), line: $1) }
        #expect(reasons == [nil, .invalid("no such field"), nil])
        #expect(outcomes.jobs.map { $0?.value } == [1, nil, 2] && outcomes.lineNumbers == [1, 3, 4])
        #expect(outcomes.created == 1 && outcomes.existing == [2] && outcomes.refused == 1)
        #expect(
            outcomes.reasons[1].map { String(decoding: $0, as: UTF8.self) } == #"{"detail":"no such field"}"#)
    }

    @Test func `lines are put together from pieces cut anywhere`() {
        var buffer = LineBuffer()
        let pieces = ["a", "b\nc", "\n\nd", "\n"].map { Array($0.utf8) }
        let lines = pieces.flatMap { buffer.append($0) }.map { String(decoding: $0, as: UTF8.self) }
        #expect(lines == ["ab", "c", "", "d"])
    }

    @Test func `a dry run counts a prompt that came before as a duplicate, however far away`() throws {
        var count = DryRun.Count()
        let new = try JSON.parse(#"{"status":"new","at_most_usd":"0.5"}"#)
        _ = [count.take(new, shape: 1), count.take(new, shape: 2), count.take(new, shape: 1)]
        #expect(count.new == 2 && count.duplicate == 1 && count.atMost.description == "1.000000")
        #expect(count.take(try JSON.parse(#"{"error":{"detail":"bad"}}"#), shape: 3) == .invalid("bad"))
        #expect(count.invalid == 1)
    }
}
