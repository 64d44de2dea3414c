import JSON
import Testing

@testable import renga

@Suite struct InputFormTests {
    private func reason(_ bytes: [UInt8], isText: Bool = false, file: String = "in.jsonl") -> String {
        do {
            try InputForm.check(first: bytes, of: file, isText: isText)
            try InputForm.check(bytes, number: 1, of: file)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func `a file in another encoding is named, with the command that converts it`() {
        let wide = "{\"a\":1}".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        for bytes in [[0xFF, 0xFE] + wide, wide] {
            #expect(
                reason(bytes)
                    == "in.jsonl is UTF-16LE, and renga reads UTF-8. Convert it: iconv -f UTF-16 -t UTF-8 in.jsonl | renga enqueue -"
            )
        }
        let big = "{\"a\":1}".utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        #expect(reason([0xFE, 0xFF] + big, isText: true).contains("UTF-16BE"))
        let latin = reason(Array(#"{"prompt":"caf"#.utf8) + [0xE9] + Array(#" au lait"}"#.utf8))
        #expect(latin.contains("line 1 has the byte 0xE9 at column 15") && latin.contains("-f WINDOWS-1252"))
        #expect(reason([0xC3, 0xA9, 0xFF]).contains("0xFF at column 2"))
        #expect(reason(Array("é 👩‍💻".utf8)) == "")
    }

    @Test func `an array and JSON over several lines are told how to become lines`() {
        #expect(
            reason(Array("[".utf8), file: "my jobs.json").hasSuffix(
                "jq -c '.[]' 'my jobs.json' | renga enqueue -"))
        #expect(reason(Array(#"[{"prompt":"x"}]"#.utf8)).contains("one JSON array"))
        #expect(reason(Array("{ \r".utf8)).contains("jq -c . in.jsonl"))
        #expect(reason(Array("{".utf8), file: "-").contains("… | jq -c . | renga enqueue -"))
        #expect(reason(Array("[not JSON, but text]".utf8), isText: true) == "")
    }

    @Test func `packed files and whole batch files are told how to become lines`() {
        #expect(
            reason([0x1F, 0x8B, 8, 0], file: "x.gz")
                == "x.gz is compressed with gzip. Unpack it: gunzip -c x.gz | renga enqueue -")
        #expect(reason(Array(#"{"requests":[{"custom_id":"a"}]}"#.utf8)).contains("jq -c '.requests[]'"))
        #expect(reason(Array(#"{"prompt":"x","requests":1}"#.utf8)) == "")
        #expect(reason(Array(#""a prompt""#.utf8)) == "")
    }

    @Test func `words are quoted as a shell needs them`() {
        #expect(Shell.quoted("in-1.jsonl") == "in-1.jsonl" && Shell.quoted("") == "''")
        #expect(Shell.quoted("it's $HOME") == #"'it'\''s $HOME'"#)
    }

    @Test func `a line of a batch file keeps its form, and gets what the command line says`() throws {
        var maker = LineMaker(
            defaults: LineDefaults(queue: "q", tags: ["t"], model: "m", system: "s", maxTokens: 5),
            isText: false)
        func job(_ line: String) throws -> JSON { try JSON.parse(maker.job(Array(line.utf8))?.bytes ?? []) }
        let params = try job(
            #"{"custom_id":"a","params":{"model":null,"messages":[{"role":"user","content":"x"}]}}"#)
        #expect(params.text("custom_id") == "a" && params.text("queue") == "q")
        #expect(params["params"]?.text("model") == "m" && params["params"]?.text("system") == "s")
        let body = try job(
            #"{"custom_id":"b","url":"/v1/chat/completions","body":{"model":"own","max_completion_tokens":9,"messages":[]}}"#
        )
        #expect(body["body"]?.text("model") == "own" && body["body"]?["system"] == nil)
        #expect(body["body"]?["max_tokens"] == nil && body["tags"]?[0]?.string == "t")
    }

    @Test func `null counts as left out`() throws {
        var maker = LineMaker(defaults: LineDefaults(queue: "q", model: "m"), isText: false)
        let line = #"{"prompt":"nulls","model":null,"custom_id":null,"queue":null,"tags":null}"#
        let job = try JSON.parse(maker.job(Array(line.utf8))?.bytes ?? [])
        #expect(
            job.text("custom_id").hasPrefix("line-") && job.text("queue") == "q" && job.text("model") == "m")
        #expect(job["tags"] == nil)
        #expect(maker.job([0x1A]) == nil, "the end of a file of DOS's time")
    }
}

@Suite struct WatchScreenTests {
    private let page = (["jobs: 3 queued", "", "queues"] + (1...40).map { "  queue-\($0)" }).joined(
        separator: "\n")

    @Test func `the first line stays on top, and what does not fit is counted`() {
        let screen = WatchScreen(rows: 24, columns: 80, paint: Paint(isOn: false))
        let lines = screen.lines(page)
        #expect(lines.count == 23 && lines[0] == "jobs: 3 queued")
        #expect(lines[22] == "… 20 more lines; make the window taller to see them")
        #expect(screen.lines("one\ntwo") == ["one", "two"])
        let drawn = screen.drawn(page)
        #expect(
            drawn.hasPrefix("\u{1B}[Hjobs: 3 queued\u{1B}[K\n") && drawn.split(separator: "\n").count == 23)
    }

    @Test func `a reason that is longer than the screen is wide goes on beneath itself`() {
        let reason = "  tickets  3 queued  PAUSED: " + (1...30).map { "word\($0)" }.joined(separator: " ")
        let lines = WatchScreen(rows: 24, columns: 40, paint: Paint(isOn: false)).lines(reason)
        #expect(lines.allSatisfy { $0.count <= 40 } && lines.count > 4)
        #expect(
            lines.joined(separator: " ").split(separator: " ") == reason.split(separator: " "),
            "no word is lost")
        let solid = String(repeating: "x", count: 100)
        #expect(
            WatchScreen(rows: 9, columns: 30, paint: Paint(isOn: false)).lines(solid).joined().filter {
                $0 == "x"
            } == solid)
    }

    @Test func `colour marks what needs a person, and only if it is on`() {
        #expect(Paint(isOn: true).painted("  q  PAUSED: no") == "  q  \u{1B}[31mPAUSED\u{1B}[0m: no")
        #expect(Paint(isOn: true).painted("queues") == "\u{1B}[1mqueues\u{1B}[0m")
        #expect(Paint(isOn: false).painted("  q  PAUSED: no") == "  q  PAUSED: no")
    }
}

@Suite struct ForecastTextTests {
    private func count(_ answers: String...) throws -> DryRun.Count {
        var count = DryRun.Count()
        for (index, answer) in answers.enumerated() {
            _ = count.take(try JSON.parse(answer), shape: UInt64(index))
        }
        return count
    }

    @Test func `a cost that nobody knows is not told as nothing`() throws {
        let count = try count(#"{"status":"new","at_most_usd":null,"detail":"no price is known for x"}"#)
        let text = Forecast(count, try JSON.parse("{}")).text
        #expect(text.contains("no price is known for x (1 line)") && !text.contains("$"))
    }

    @Test func `half price and both costs are told`() throws {
        let count = try count(
            #"{"status":"new","at_most_usd":"0.500000","about_usd":"0.100000","half_price":true}"#,
            #"{"status":"new","at_most_usd":"1.000000","about_usd":"0.200000","half_price":false}"#)
        #expect(count.text.contains("1 of them at half the price"))
        let text = Forecast(count, try JSON.parse(#"{"workers":[{"alive":true,"slots":4}]}"#)).text
        #expect(text.contains("about $0.300000") && text.contains("maximum $1.500000"))
        #expect(text.contains("1 line in batches") && text.contains("4 slots"))
    }

    @Test func `while a route is closed its reason is told, and no time`() throws {
        let count = try count(
            #"{"status":"new","at_most_usd":"1.000000","about_usd":"0.100000","half_price":false}"#)
        let stats = try JSON.parse(
            #"{"routes":[{"name":"r","gate":{"reason":"breaker","detail":"it does not answer"},"limits":{"requests":{"per_minute":50}}}]}"#
        )
        let text = Forecast(count, stats).text
        #expect(text.contains("r is closed: it does not answer") && !text.contains("per minute"))
    }
}

@Suite struct HelpPageTests {
    @Test func `the page of simulate names one address`() {
        let page = Help().page(.simulate)
        #expect(page.contains("(127.0.0.1:8090)") && !page.contains("127.0.0.1:8080"))
    }

    @Test func `the pages of what people use most have examples`() {
        for command in [Command.enqueue, .results, .show, .pause, .resume, .simulate] {
            #expect(Help().page(command).contains("Examples:\n  "), "\(command.name)")
        }
    }
}
