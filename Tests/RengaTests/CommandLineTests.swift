import Foundation
import JSON
import Testing

@testable import renga

/// What people meet on the command line, from outside, against a server of their own.
@Suite(.timeLimit(.minutes(1)), .serialized)
struct CommandLineTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    private func renga(_ words: String..., input: String = "") async throws -> Program.Ended {
        try await Program(words, [:], in: folder.url, input: input).end()
    }

    /// A server with its simulator for the time of the body.
    private func withServer(_ body: (String) async throws -> Void) async throws {
        let program = try Program(["up", "--port", "0"], in: folder.url)
        let line = await program.output.line(from: "http://127.0.0.1:")
        let url = String(try #require(line?.split(separator: " ").first))
        try await body(url)
        program.signal(SIGTERM)
        #expect(await program.end().status == 0)
    }

    private func count(_ url: String) async throws -> Int {
        try await renga("jobs", "--json", "--limit", "1000", "--url", url).output.split(separator: "\n").count
    }

    @Test func `results never replace their own input, by whatever name, and nothing is sent`() async throws {
        try await withServer { url in
            try folder.write("in.jsonl", [#""one""#])
            let path = folder.url.appending(path: "in.jsonl").path
            try FileManager.default.createSymbolicLink(
                atPath: folder.url.appending(path: "soft").path, withDestinationPath: path)
            try FileManager.default.linkItem(atPath: path, toPath: folder.url.appending(path: "hard").path)
            for name in ["in.jsonl", "./in.jsonl", "soft", "hard"] {
                let ended = try await renga("enqueue", "in.jsonl", "--out", name, "--url", url)
                #expect(ended.status == 1 && ended.errors.contains("which is the input"), "\(ended)")
            }
            #expect(try await renga("enqueue", "in.jsonl", "--out", ".", "--url", url).status == 1)
            #expect(try folder.lines("in.jsonl") == [#""one""#])
            #expect(try await count(url) == 0)
        }
    }

    @Test func `a dash is standard output, and a link is followed`() async throws {
        try await withServer { url in
            let ended = try await renga(
                "enqueue", "-", "--out", "-", "--url", url, input: "\"one\"\n\"two\"\n")
            let lines = try ended.output.split(separator: "\n").map { try JSON.parse(String($0)) }
            #expect(ended.status == 0 && lines.map { $0.text("state") } == ["succeeded", "succeeded"])
            #expect(ended.errors.contains("2 lines: 2 new"))
            #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: "-").path))
            try FileManager.default.createSymbolicLink(
                atPath: folder.url.appending(path: "link").path, withDestinationPath: "target.jsonl")
            try folder.write("target.jsonl", ["old"])
            #expect(
                try await renga("enqueue", "-", "--out", "link", "--url", url, input: "\"one\"\n").status == 0
            )
            #expect(try JSON.parse(folder.lines("target.jsonl")[0]).text("state") == "succeeded")
            #expect(
                try await renga("enqueue", "-", "--out", "/dev/null", "--url", url, input: "\"one\"\n").status
                    == 0)
        }
    }

    @Test func `what is said to be written is written, and the way back leads to all rows`() async throws {
        try await withServer { url in
            let bad = try await renga("enqueue", "-", "--out", "bad.jsonl", "--url", url, input: "x\ny\n")
            #expect(bad.status == 1 && bad.output.contains("2 lines written to "))
            #expect(
                try folder.lines("bad.jsonl").map { try JSON.parse($0).text("state") } == [
                    "invalid", "invalid",
                ])

            let rows = (1...30).map { #"{"custom_id":"row-\#($0)","prompt":"\#($0)"}"# }
            try folder.write("first.jsonl", Array(rows.prefix(20)))
            let first = try await renga("enqueue", "first.jsonl", "--wait", "--url", url)
            #expect(first.errors.contains("renga results --batch first.jsonl-"))
            #expect(first.errors.contains("renga cancel --batch first.jsonl-"))
            try folder.write("all rows.jsonl", rows)
            let second = try await renga("enqueue", "all rows.jsonl", "--out", "out.jsonl", "--url", url)
            #expect(second.output.contains("10 new, 20 already there"))
            #expect(second.errors.contains("renga enqueue 'all rows.jsonl' --out out.jsonl --url"))
            #expect(try folder.lines("out.jsonl").count == 30)
        }
    }

    @Test func `lines whose custom_id is taken are shown as three examples, a count and a cure`() async throws
    {
        try await withServer { url in
            try folder.write("in.jsonl", (1...9).map { #"{"custom_id":"row-\#($0)","prompt":"\#($0)"}"# })
            let first = try await renga("enqueue", "in.jsonl", "--out", "out.jsonl", "--url", url)
            let again = try await renga("enqueue", "in.jsonl", "--out", "out.jsonl", "--url", url)
            for ended in [first, again] { #expect(ended.output.contains("9 lines written to out.jsonl\n")) }
            for last in [["--dry-run"], []] {
                let ended = try await Program(
                    ["enqueue", "in.jsonl", "--deadline", "12h", "--url", url] + last, in: folder.url
                ).end()
                #expect(
                    ended.status == 1 && ended.errors.contains("… and 6 more lines like these"), "\(ended)")
                #expect(ended.errors.split(separator: "\n").count == 5, "\(ended.errors)")
                #expect(
                    ended.errors.contains("differs in its deadline") && ended.errors.contains("--queue NAME"))
                #expect(!ended.output.contains("no call is needed"))
            }
        }
    }

    @Test func `a dry run of a few lines sends nothing, and does not say that it did`() async throws {
        try await withServer { url in
            let dry = try await renga("enqueue", "-", "--dry-run", "--url", url, input: "\"a\"\n")
            #expect(dry.status == 0 && dry.errors.isEmpty, "\(dry.errors)")
        }
    }

    @Test func `a database that is not there is named with that of the trial, and none is made beside it`()
        async throws
    {
        #expect(try await renga("migrate", "--database", "renga-demo.db").status == 0)
        for (words, command) in [
            (["backup", "copy.db"], "renga backup copy.db --database ./renga-demo.db"),
            (["restore", "copy.db"], "renga restore copy.db --database ./renga-demo.db"),
            (["migrate"], "renga migrate --database ./renga-demo.db"),
        ] {
            let ended = try await Program(words, in: folder.url).end()
            #expect(ended.status == 1 && ended.errors.contains("\n  " + command + "\n"), "\(ended)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: "renga.db").path))
        #expect(try await renga("backup", "copy.db", "--database", "./renga-demo.db").status == 0)
        let fresh = try await renga("migrate", "--database", "./renga.db")
        #expect(fresh.status == 0 && fresh.output.contains("is new"))
        #expect(try await !renga("migrate").output.contains("is new"))
    }

    @Test func `a wrong flag is one error and status 2, before anything is sent`() async throws {
        try await withServer { url in
            let input = (1...120).map { "\"\($0)\"" }.joined(separator: "\n")
            for (flag, value) in [
                ("--queue", "a b"), ("--tag", ""), ("--deadline", "soon"), ("--processing", "half"),
            ] {
                let ended = try await renga("enqueue", "-", flag, value, "--url", url, input: input)
                let words = value.isEmpty ? "\(flag) is empty" : "\(flag) is “\(value)”"
                #expect(ended.status == 2 && ended.errors.contains(words), "\(ended)")
                #expect(ended.errors.split(separator: "\n").count == 2)
            }
            #expect(try await count(url) == 0)
        }
    }

    @Test func `files that are not lines of JSON are refused once`() async throws {
        try await withServer { url in
            let wide = "\u{FEFF}\"a\"\n".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
            try Data(wide).write(to: folder.url.appending(path: "wide.jsonl"))
            let ended = try await renga("enqueue", "wide.jsonl", "--url", url)
            #expect(ended.status == 1 && ended.errors.contains("iconv -f UTF-16 -t UTF-8 wide.jsonl"))
            #expect(ended.errors.split(separator: "\n").count == 1)
            let array = try await renga(
                "enqueue", "-", "--url", url, input: "[\n {\n \"prompt\": \"x\"\n }\n]\n")
            #expect(array.status == 1 && array.errors.contains("jq -c '.[]'"))
            #expect(try await count(url) == 0)
        }
    }

    @Test func `a dry run of a misspelt model fails, and names the one that was meant`() async throws {
        try await withServer { url in
            let typo = try await renga(
                "enqueue", "-", "--dry-run", "--model", "claude-hiaku-4-5", "--url", url, input: "\"a\"\n")
            #expect(typo.status == 1 && typo.output.contains("did you mean “claude-haiku-4-5”?"))
            #expect(!typo.output.contains("$0.000000"))
            let right = try await renga("enqueue", "-", "--dry-run", "--url", url, input: "\"a\"\n")
            #expect(right.status == 0 && right.output.contains("maximum $0.005"))
        }
    }

    @Test func `queues, jobs and results are asked for by name`() async throws {
        try await withServer { url in
            let typo = try await renga("pause", "queue", "defualt", "--url", url)
            #expect(typo.status == 1 && typo.errors.contains("did you mean “default”?"))
            #expect(typo.errors.contains("--create"))
            #expect(try await renga("pause", "queue", "new", "--create", "--url", url).status == 0)

            let long = String(repeating: "long ", count: 300)
            let line =
                #"{"custom_id":"ticket-17","params":{"system":"Be brief.","messages":[{"role":"user","content":"\#(long)end"}]}}"#
            #expect(try await renga("enqueue", "-", "--wait", "--url", url, input: line).status == 0)
            let page = try await renga("show", "--custom-id", "ticket-17", "--url", url)
            #expect(
                page.status == 0 && page.output.contains(long + "end") && page.output.contains("Be brief."))
            let none = try await renga("show", "--custom-id", "ticket-18", "--url", url)
            #expect(none.status == 1 && none.errors.contains("“ticket-18”"))
            #expect(try await renga("show", "--url", url).status == 2)

            let unfiltered = try await renga("results", "--url", url)
            #expect(unfiltered.status == 2 && unfiltered.errors.contains("--all"))
            _ = try await renga("enqueue", "-", "--wait", "--url", url, input: "\"a\"\n\"b\"\n")
            let some = try await renga(
                "results", "--all", "--limit", "2", "--out", "some.jsonl", "--url", url)
            #expect(some.status == 0 && some.errors.contains("2 lines written"))
            #expect(try folder.lines("some.jsonl").count == 2)
            let failed = try await renga("results", "--all", "--state", "failed", "--url", url)
            #expect(failed.status == 0 && failed.output.isEmpty)
        }
    }

    @Test func `Ctrl-C says that jobs go on, and how they are stopped`() async throws {
        try await withServer { url in
            #expect(try await renga("pause", "queue", "default", "--url", url).status == 0)
            let waiting = try Program(
                ["enqueue", "-", "--wait", "--batch", "night", "--url", url], in: folder.url, input: "\"a\"\n"
            )
            #expect(await waiting.errors.line(from: "Jobs keep running") != nil)
            waiting.signal(SIGINT)
            let ended = await waiting.end()
            #expect(ended.status == 130 && ended.errors.contains("\nStopped. "))
            let cancelled = try await renga("cancel", "--batch", "night", "--url", url)
            #expect(cancelled.output == "1 job cancelled\n")
        }
    }
}
