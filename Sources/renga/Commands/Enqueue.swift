import JSON
import System

extension Command {
    static let enqueue = Command(
        name: "enqueue", summary: "JSONL in, one job a line", arguments: "FILE|-", argumentCount: 1...1,
        flags: [
            Flag("text", "plain lines, each a prompt"), Flag("model", "MODEL", "where a line names none"),
            Flag("system", "TEXT", "the system prompt where a line has none"),
            Flag("max-tokens", "N", "where a line names none"),
            Flag("queue", "NAME", "where a line names none"),
            Flag("tag", "TAG", "where a line has no tags", isRepeatable: true),
            Flag("deadline", "TIME", "a time or a duration such as 12h, where a line has none"),
            Flag("lane", "auto|realtime|batch", "batch is half the price, where a line names none"),
            Flag("batch", "NAME", "the batch of all lines (the file's name and a hash of these flags)"),
            Flag("wait", "follow the jobs to their end"),
            Flag("out", "FILE", "write results as JSONL in the order of the input; waits for them"),
            Flag(
                "dry-run",
                "count new, cached, duplicate and invalid lines, forecast cost and time, and change nothing"),
        ],
        settings: ServerClient.settings, secrets: ServerClient.secrets,
        details: """
            A line is a JSON string (a prompt), a Messages request, or a job as POST /v1/jobs takes it. Lines without a
            key get one from what they say, so that the same file again resumes where it stopped, and nothing is paid
            for twice. Invalid lines are reported and the others go on; the status is 1 if there was one, or if a job
            failed while it was waited for.
            """
    ) { invocation in
        let order = try Order(invocation)
        let server = try ServerClient(invocation)
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

    init(_ invocation: Invocation) throws {
        file = invocation.arguments[0]
        isText = invocation.has("text")
        defaults = LineDefaults(
            queue: invocation["queue"], tags: invocation.all("tag"), model: invocation["model"],
            system: invocation["system"], maxTokens: try invocation.integer("max-tokens", in: 1...10_000_000),
            deadline: invocation["deadline"], lane: invocation["lane"])
        batch = invocation["batch"] ?? defaults.batchName(file: file)
        output = invocation["out"]
        waits = invocation.has("wait") || output != nil
        isDry = invocation.has("dry-run")
        guard !isDry || !waits else {
            throw UsageError("--dry-run changes nothing, so there is nothing to wait for")
        }
    }

    /// Opens the input; the size is nil for a pipe.
    func upload(_ server: ServerClient, query: [(String, String?)]) -> Upload {
        let maker = LineMaker(defaults: defaults, isText: isText)
        return Upload(server: server, query: query, maker: maker, size: file == "-" ? nil : fileSize(file))
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
    /// Sends all lines, and waits for their jobs where that was asked for.
    fileprivate func carryOut(_ server: ServerClient) async throws -> ExitStatus {
        let output = try output.map { path in
            do { return try OutputProbe(path) } catch { throw Failure("--out is “\(path)”: \(error)") }
        }
        var ledger = Ledger()
        var reporter = Reporter()
        var upload = upload(server, query: [("batch", batch)])
        try await upload.run(try reader()) { chunk, answers in
            for (line, answer) in zip(chunk.lineNumbers, answers) {
                if let reason = ledger.take(answer, line: line) { reporter.refused(line, reason) }
            }
        }
        guard !ledger.jobs.isEmpty else {
            throw Failure("there is no line in \(file == "-" ? "standard input" : file)")
        }
        try Console.print(summary(ledger))
        guard waits else { return ledger.refused > 0 ? .failed : .done }
        Console.note(
            """
            Stopping this command stops no job. To come back: the same command again, or
              renga results --batch '\(batch)' --wait
            """)
        return try await Waiting(order: self, server: server, ledger: ledger).run(output?.path)
    }

    private func summary(_ ledger: Ledger) -> String {
        var words = ["\(Text.count(ledger.jobs.count, "line")): \(Text.number(ledger.created)) new"]
        if !ledger.existing.isEmpty { words.append("\(Text.number(ledger.existing.count)) there already") }
        if ledger.refused > 0 { words.append("\(Text.number(ledger.refused)) invalid") }
        return words.joined(separator: ", ") + "; batch \(batch)"
    }
}

/// That results can be written is better known before anything is sent.
private struct OutputProbe {
    let path: String

    init(_ path: String) throws {
        self.path = path
        _ = try OutputFile(path: path)
    }
}

/// Says which lines were refused; after the first hundred only how many.
struct Reporter {
    private static let limit = 100
    private var count = 0

    mutating func refused(_ line: Int, _ reason: String) {
        count += 1
        if count <= Self.limit { Console.note("line \(line): \(Text.oneLine(reason, limit: 500))") }
        if count == Self.limit { Console.note("… more invalid lines are counted only") }
    }
}
