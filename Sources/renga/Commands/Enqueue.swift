import JSON
import Jobs
import System

extension Command {
    static let enqueue = Command(
        name: "enqueue", summary: "JSONL in, one job a line", arguments: "FILE|-", argumentCount: 1...1,
        flags: Order.flags + [
            Flag("batch", "NAME", "the batch of all lines (the file's name and a hash of these flags)"),
            Flag("wait", "follow the jobs to their end"),
            Flag(
                "out", "FILE|-",
                "write results as JSONL in the order of the input, - is standard output; waits for them"),
            Flag(
                "dry-run",
                "count new, cached, duplicate and invalid lines, forecast cost and time, and change nothing"),
        ],
        settings: ServerClient.settings, secrets: ServerClient.secrets,
        details: """
            A line is a JSON string (a prompt), a Messages request, a job as POST /v1/jobs takes it, or a line of a batch
            file of Anthropic's or OpenAI's batch API. Lines without a key get one from what they say, so that the same
            file again resumes where it stopped, and nothing is paid for twice. Invalid lines are reported and the others
            go on; the status is 1 if there was one, or if a job failed while it was waited for.
            """,
        examples: [
            "renga enqueue jobs.jsonl --dry-run                   what it would cost",
            "renga enqueue jobs.jsonl --out results.jsonl         wait, and write the answers",
            "renga enqueue reviews.txt --text --system 'Answer with one word: positive or negative.'",
            "renga enqueue jobs.jsonl --deadline 24h              half the price, in batches of the provider",
        ]
    ) { invocation in
        let order = try Order(invocation)
        let server = try ServerClient(invocation)
        try await order.probe(server)
        return order.isDry
            ? try await DryRun(order: order, server: server).run() : try await order.carryOut(server)
    }
}

/// What `enqueue` was told.
struct Order: Sendable {
    var file: String
    var isText: Bool
    var defaults: LineDefaults
    var batch: String
    var waits: Bool
    var output: String?
    var isDry: Bool
    /// The command again, as a shell takes it.
    var again: String

    /// Flags that count for lines which say nothing of it themselves.
    static let flags = [
        Flag("text", "plain lines, each a prompt"), Flag("model", "MODEL", "for lines that name none"),
        Flag("system", "TEXT", "the system prompt of lines that have none"),
        Flag("max-tokens", "N", "for lines that name none"),
        Flag("queue", "NAME", "for lines that name none"),
        Flag("tag", "TAG", "for lines without tags", isRepeatable: true),
        Flag("deadline", "TIME", "a time or a duration such as 12h, for lines that have none"),
        Flag("processing", "auto|realtime|batch", "batch is half the price, for lines that name none"),
    ]

    init(_ invocation: Invocation) throws {
        file = invocation.arguments[0]
        isText = invocation.has("text")
        defaults = LineDefaults(
            queue: invocation["queue"], tags: invocation.all("tag"), model: invocation["model"],
            system: invocation["system"], maxTokens: try invocation.integer("max-tokens", in: 1...10_000_000),
            deadline: invocation["deadline"], lane: invocation["processing"])
        batch = invocation["batch"] ?? defaults.batchName(file: file)
        output = invocation["out"]
        waits = invocation.has("wait") || output != nil
        isDry = invocation.has("dry-run")
        again = invocation.shellLine
        guard !isDry || !waits else {
            throw UsageError("--dry-run changes nothing, so there is nothing to wait for")
        }
    }

    /// Opens the input; the size is nil for a pipe.
    func upload(_ server: ServerClient, query: [(String, String?)], isSaid: Bool = true) -> Upload {
        let maker = LineMaker(defaults: defaults, isText: isText)
        return Upload(
            server: server, query: query, maker: maker, file: file, isText: isText,
            size: file == "-" ? nil : fileSize(file), isSaid: isSaid)
    }

    func reader() throws -> LineReader {
        do {
            return file == "-" ? LineReader(fd: 0) : try LineReader(path: file)
        } catch {
            throw Failure("\(error)")
        }
    }
}

extension Order {
    /// Sends all lines, and waits for their jobs if that was asked for.
    fileprivate func carryOut(_ server: ServerClient) async throws -> ExitStatus {
        let target = try output.map { try ResultsTarget($0, input: file) }
        // Results on standard output stand there alone.
        let say: (String) throws -> Void =
            target == .standardOutput ? { Console.note($0) } : { try Console.print($0) }
        let stopping = Stopping(batch: batch)
        var ledger = Ledger()
        var reporter = Reporter()
        var upload = upload(server, query: [("batch", batch)])
        try await upload.run(try reader()) { chunk, answers in
            for (index, answer) in answers.enumerated() {
                let line = chunk.lineNumbers[index]
                if let refusal = ledger.take(answer, line: line) {
                    reporter.refused(line, refusal, chunk.line(index))
                }
            }
        }
        await reporter.end(server)
        guard !ledger.jobs.isEmpty else {
            throw Failure("there is no line in \(file == "-" ? "standard input" : file)")
        }
        try say(summary(ledger))
        guard waits else {
            try await sayCancelled(ledger, server)
            return ledger.refused > 0 ? .failed : .done
        }
        Console.note(stopping.words + "\n" + (try await wayBack(ledger, server)))
        return try await Waiting(order: self, server: server, ledger: ledger).run(target, say: say)
    }

    /// Says that jobs which were there already will not run, if a person cancelled them.
    private func sayCancelled(_ ledger: Ledger, _ server: ServerClient) async throws {
        guard !ledger.existing.isEmpty else { return }
        let counts = try await server.call("GET", BatchFollower.path(batch))["counts"]
        if let words = Resuming(batch, counts).words { Console.note(words) }
    }

    /// How all rows are had later: from the batch if it holds just these, else by the same command, which finds the jobs of
    /// other batches too.
    private func wayBack(_ ledger: Ledger, _ server: ServerClient) async throws -> String {
        var patience = Patience(hasAnswered: true)
        let counts = try await patience.trying {
            try await server.call("GET", BatchFollower.path(batch))["counts"]
        }
        let jobs = Set(ledger.jobs.compactMap { $0?.value }).count
        if counts?.number("total") == jobs, ledger.refused == 0 {
            return
                "To come back: the same command again, or\n  renga results --batch \(Shell.quoted(batch)) --wait"
        }
        guard file != "-" else { return "To come back: the same command with the same input." }
        return "To come back to all rows, those of other batches too:\n  \(again)"
    }

    private func summary(_ ledger: Ledger) -> String {
        var words = ["\(Text.count(ledger.jobs.count, "line")): \(Text.number(ledger.created)) new"]
        if !ledger.existing.isEmpty { words.append("\(Text.number(ledger.existing.count)) there already") }
        if ledger.refused > 0 { words.append("\(Text.number(ledger.refused)) invalid") }
        return words.joined(separator: ", ") + "; batch \(batch)"
    }
}
