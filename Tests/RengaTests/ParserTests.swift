import Testing

@testable import renga

@Suite struct ParserTests {
    let command = Command(
        name: "example", summary: "an example", arguments: "FILE", argumentCount: 1...1,
        flags: [
            Flag("limit", "N", "at most"), Flag("json", "for programs"),
            Flag("tag", "TAG", "a tag", isRepeatable: true),
        ],
        settings: [Settings.url, Settings.concurrency]
    ) { _ in .done }

    private func parse(_ words: String..., environment: [String: String] = [:]) throws -> Invocation {
        try Parser.parse(words, for: command, environment: { environment[$0] })
    }

    private func reason(_ words: String...) -> String {
        let error = #expect(throws: UsageError.self) {
            _ = try Parser.parse(words, for: command, environment: { _ in nil })
        }
        return error?.message ?? ""
    }

    @Test func `a flag takes its value behind a space or an equals sign`() throws {
        let spaced = try parse("in.jsonl", "--limit", "3")
        let joined = try parse("--limit=3", "in.jsonl")
        #expect(spaced["limit"] == "3" && joined["limit"] == "3")
        #expect(spaced.arguments == ["in.jsonl"] && joined.arguments == ["in.jsonl"])
    }

    @Test func `values may be negative, or hold an equals sign`() throws {
        #expect(try parse("f", "--limit", "-5")["limit"] == "-5")
        #expect(try parse("f", "--tag=a=b")["tag"] == "a=b")
    }

    @Test func `a lone dash is an argument, and two dashes end the flags`() throws {
        #expect(try parse("-").arguments == ["-"])
        #expect(try parse("--", "--json").arguments == ["--json"])
    }

    @Test func `repeatable flags add up, and others may not be repeated`() throws {
        #expect(try parse("f", "--tag", "a", "--tag", "b").all("tag") == ["a", "b"])
        #expect(reason("f", "--limit", "1", "--limit", "2") == "--limit is given twice")
    }

    @Test func `what is empty is not the same as what is left out`() {
        #expect(reason("f", "--tag", "") == "--tag is empty: give it a value, --tag TAG, or leave it out")
        #expect(reason("f", "--limit=").hasPrefix("--limit is empty"))
        #expect(reason("").hasPrefix("an argument is empty"))
    }

    @Test func `an unknown flag is named, with the one that was meant`() {
        #expect(reason("f", "--limt", "3") == "unknown flag --limt (did you mean --limit?)")
        #expect(reason("f", "-x") == "unknown flag -x")
    }

    @Test func `a missing value, a surplus value and a surplus argument are refused`() {
        #expect(reason("f", "--limit") == "--limit needs a value: --limit N")
        #expect(reason("f", "--limit", "--json") == "--limit needs a value: --limit N")
        #expect(reason("f", "--json=yes") == "--json takes no value")
        #expect(reason("f", "g") == "unexpected argument “g”")
        #expect(reason() == "missing argument: FILE")
    }

    @Test func `help needs no arguments`() throws {
        #expect(try parse("--help").wantsHelp)
    }

    @Test func `a setting comes from its flag, then the environment, then its default`() throws {
        let environment = ["RENGA_CONCURRENCY": "7", "RENGA_URL": ""]
        #expect(
            try parse("f", "--concurrency", "9", environment: environment).value(of: Settings.concurrency)
                == 9)
        #expect(try parse("f", environment: environment).value(of: Settings.concurrency) == 7)
        #expect(try parse("f").value(of: Settings.concurrency) == 40)
        #expect(try parse("f", environment: environment).value(of: Settings.url) == "http://127.0.0.1:8080")
    }
}

@Suite struct HelpTests {
    @Test func `every command's page names every flag that its parser takes`() {
        for command in Commands.all {
            let page = Help().page(command)
            for flag in command.allFlags { #expect(page.contains("--\(flag.name)"), "\(command.name)") }
        }
    }

    @Test func `no command declares a flag twice`() {
        for command in Commands.all {
            let names = command.allFlags.map(\.name)
            #expect(Set(names).count == names.count, "\(command.name)")
        }
    }

    @Test func `the overview lists every command`() {
        let overview = Help().overview(Commands.all)
        for command in Commands.all { #expect(overview.contains("\n  \(command.name) ")) }
    }
}
