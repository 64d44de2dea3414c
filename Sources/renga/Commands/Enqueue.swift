import JSON
import Jobs
import System

extension Command {
    static let enqueue = Command(
        name: "enqueue", summary: "enqueue a file of jobs, one a line", arguments: "FILE|-",
        argumentCount: 1...1,
        flags: EnqueueOptions.flags + [
            Flag("batch", "NAME", "the batch for all lines (the file's name and a hash of these flags)"),
            Flag("wait", "wait until all jobs have ended"),
            Flag(
                "out", "FILE|-",
                "wait, and write results as JSONL in the order of the input; - is standard output"),
            Flag(
                "dry-run",
                "count new, cached, duplicate and invalid lines, estimate cost and time, and change nothing"),
        ],
        settings: ServerClient.settings, secrets: ServerClient.secrets,
        details: """
            A line is a JSON string (a prompt), a Messages request, a job as POST /v1/jobs takes it, or a line of a batch
            file of Anthropic's or OpenAI's batch API. A line without a custom_id gets one from its content. So if you
            run the same command again it resumes, and nothing is paid for twice.

            Invalid lines are reported, and the others are enqueued. The exit status is 1 if there was an invalid line,
            or if a job failed while the command waited for it.
            """,
        examples: [
            "renga enqueue jobs.jsonl --dry-run",
            "renga enqueue jobs.jsonl --out results.jsonl",
            "renga enqueue reviews.txt --text --system 'Positive or negative? One word.'",
            "renga enqueue jobs.jsonl --deadline 24h",
        ]
    ) { invocation in
        let options = try EnqueueOptions(invocation)
        let server = try ServerClient(invocation)
        try await options.probe(server)
        return options.isDry
            ? try await DryRun(options: options, server: server).run() : try await options.carryOut(server)
    }
}

/// The arguments of `enqueue`.
struct EnqueueOptions: Sendable {
    var file: String
    var isText: Bool
    var defaults: LineDefaults
    var batch: String
    var waits: Bool
    var output: String?
    var isDry: Bool
    /// The command again, as a shell takes it.
    var again: String

    /// Flags that fill in what a line leaves out.
    static let flags = [
        Flag("text", "read plain lines, each a prompt"),
        Flag("model", "MODEL", "the model of lines that name none"),
        Flag("system", "TEXT", "the system prompt of lines that have none"),
        Flag("max-tokens", "N", "max_tokens of lines that have none"),
        Flag("queue", "NAME", "the queue of lines that name none"),
        Flag("tag", "TAG", "a tag for lines without tags; repeatable", isRepeatable: true),
        Flag("deadline", "TIME", "the deadline of lines that have none: a time, or a duration such as 12h"),
        Flag(
            "processing", "auto|realtime|batch",
            "the processing of lines that name none; batch is half the price"),
    ]

    init(_ invocation: Invocation) throws {
        file = invocation.arguments[0]
        isText = invocation.has("text")
        defaults = LineDefaults(
            queue: invocation["queue"], tags: invocation.all("tag"), model: invocation["model"],
            system: invocation["system"], maxTokens: try invocation.integer("max-tokens", in: 1...10_000_000),
            deadline: invocation["deadline"], processing: invocation["processing"])
        batch = invocation["batch"] ?? defaults.batchName(file: file)
        output = invocation["out"]
        waits = invocation.has("wait") || output != nil
        isDry = invocation.has("dry-run")
        again = invocation.shellLine
        guard !isDry || !waits else {
            throw UsageError(
                "--dry-run enqueues nothing, so there is nothing to wait for: leave out --wait and --out")
        }
    }

    /// Opens the input; the size is nil for a pipe.
    func upload(_ server: ServerClient, query: [(String, String?)], isReported: Bool = true) -> Upload {
        let maker = LineMaker(defaults: defaults, isText: isText)
        return Upload(
            server: server, query: query, maker: maker, file: file, isText: isText,
            size: file == "-" ? nil : fileSize(file), isReported: isReported)
    }

    func reader() throws -> LineReader {
        do {
            return file == "-" ? LineReader(fd: 0) : try LineReader(path: file)
        } catch {
            throw Failure("\(error)")
        }
    }
}

extension EnqueueOptions {
    /// Sends all lines, and waits for their jobs if that was asked for.
    fileprivate func carryOut(_ server: ServerClient) async throws -> ExitStatus {
        let target = try output.map { try ResultsTarget($0, input: file) }
        // Results on standard output must be alone there.
        let write: (String) throws -> Void =
            target == .standardOutput ? { Console.note($0) } : { try Console.print($0) }
        let interrupts = InterruptHandler(batch: batch)
        var outcomes = LineOutcomes()
        var reporter = Reporter()
        var upload = upload(server, query: [("batch", batch)])
        try await upload.run(try reader()) { chunk, answers in
            for (index, answer) in answers.enumerated() {
                let line = chunk.lineNumbers[index]
                if let refusal = outcomes.take(answer, line: line) {
                    reporter.refused(line, refusal, chunk.line(index))
                }
            }
        }
        await reporter.end(server)
        guard !outcomes.jobs.isEmpty else {
            throw Failure("\(file == "-" ? "standard input" : "“\(file)”") is empty: nothing was enqueued")
        }
        try write(summary(outcomes))
        guard waits else {
            try await noteCancelled(outcomes, server)
            guard outcomes.refused == 0 else { return .failed }
            Console.note("To read the answers:\n  renga results --batch \(Shell.quoted(batch)) --wait")
            return .done
        }
        Console.note(interrupts.text + "\n" + (try await returnHint(outcomes, server)))
        return try await Waiting(options: self, server: server, outcomes: outcomes).run(target, write: write)
    }

    /// Notes that jobs which were there already will not run, if they were cancelled.
    private func noteCancelled(_ outcomes: LineOutcomes, _ server: ServerClient) async throws {
        guard !outcomes.existing.isEmpty else { return }
        let counts = try await server.call("GET", BatchFollower.path(batch))["counts"]
        if let text = ResumeHint(batch, counts).text { Console.note(text) }
    }

    /// How to get all results later: from the batch if it holds just these jobs, else by the same command, which finds
    /// the jobs of other batches too.
    private func returnHint(_ outcomes: LineOutcomes, _ server: ServerClient) async throws -> String {
        var retry = ServerRetry(hasAnswered: true)
        let counts = try await retry.trying {
            try await server.call("GET", BatchFollower.path(batch))["counts"]
        }
        let jobs = Set(outcomes.jobs.compactMap { $0?.value }).count
        if counts?.number("total") == jobs, outcomes.refused == 0 {
            return
                "To come back, run the same command again, or:\n  renga results --batch \(Shell.quoted(batch)) --wait"
        }
        guard file != "-" else { return "To come back, run the same command with the same input." }
        return "To come back to all lines, including those of other batches:\n  \(again)"
    }

    private func summary(_ outcomes: LineOutcomes) -> String {
        var parts = ["\(Text.count(outcomes.jobs.count, "line")): \(Text.number(outcomes.created)) new"]
        if !outcomes.existing.isEmpty {
            parts.append("\(Text.number(outcomes.existing.count)) already there")
        }
        if outcomes.refused > 0 { parts.append("\(Text.number(outcomes.refused)) invalid") }
        return parts.joined(separator: ", ") + "; batch \(batch)"
    }
}
