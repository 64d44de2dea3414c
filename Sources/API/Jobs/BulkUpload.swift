import CrashPoint
import HTTPServer
import JSON
import Jobs

/// A bulk upload on its way into the store, in bounded memory.
struct BulkUpload {
    /// Takes a portion of jobs, and answers for each, in order.
    typealias Sink = @Sendable ([NewJob]) async throws -> [BulkAnswers.Answer]

    let reader: JobParser
    let limits: APILimits
    let sink: Sink
    let share: BodyMemory.Share
    private var splitter: LineSplitter
    private var answers: BulkAnswers
    private var portion = Portion()
    /// Bytes of the portion that is on its way into the store.
    private var sentBytes = 0
    private var inFlight: Task<[BulkAnswers.Answer], Never>?
    /// Lines with something on them, so far.
    private var lines = 0

    init(reader: JobParser, limits: APILimits, memory: BodyMemory, sink: @escaping Sink) {
        share = BodyMemory.Share(of: memory)
        self.reader = reader
        self.limits = limits
        self.sink = sink
        splitter = LineSplitter(limit: limits.lineBytes)
        answers = BulkAnswers(errorBytes: limits.bulkErrorBytes)
    }

    /// Reads to the end; if the upload is cut, what came before is taken in first.
    mutating func read(_ body: Request.Body) async throws -> BulkAnswers {
        do {
            switch body {
            case .bytes(let bytes): try await take(splitter.append(bytes))
            case .stream(let stream):
                for try await bytes in stream {
                    try await take(splitter.append(bytes))
                    try holdMemory()
                }
            }
            try await take(splitter.finish())
        } catch {
            // A line without its end is not taken: it may be half of itself.
            await flush()
            await settle()
            throw error
        }
        await flush()
        await settle()
        guard lines > 0 else { throw Problem(.missingBody, "send one job a line, as “application/x-ndjson”") }
        return answers
    }

    private func holdMemory() throws(Problem) {
        guard share.hold(splitter.held + portion.bytes + sentBytes) else { throw Problem(.overloaded) }
    }

    private mutating func take(_ lines: [LineSplitter.Line]) async throws {
        for line in lines {
            guard self.lines < limits.bulkLines else {
                throw Problem(
                    .tooManyJobs,
                    "one upload may have at most \(limits.bulkLines) lines; those before were taken",
                    limit: limits.bulkLines)
            }
            portion.append(read(line), bytes: line.count)
            self.lines += 1
            if portion.count >= limits.bulkChunkLines || portion.bytes >= limits.bulkChunkBytes {
                await flush()
            }
        }
    }

    private func read(_ line: LineSplitter.Line) -> Result<NewJob, Problem> {
        guard case .text(let bytes) = line else {
            return .failure(
                Problem(
                    .lineTooLong, "a line may have at most \(limits.lineBytes) bytes", limit: limits.lineBytes
                ))
        }
        do {
            return .success(try reader.job(line: try JSON.body(bytes, limits: limits), ordinal: lines))
        } catch {
            return .failure(error.inOneLine)
        }
    }
}

extension Problem {
    /// Of a place in a line only the column says something.
    fileprivate var inOneLine: Problem {
        var problem = self
        if kind == .invalidJSON, detail.hasPrefix("line 1, ") { problem.detail.removeFirst("line 1, ".count) }
        return problem
    }
}

extension BulkUpload {
    /// Sends the portion off once the one before it has been settled.
    private mutating func flush() async {
        await settle()
        guard portion.count > 0 else { return }
        let sent = portion
        sentBytes = sent.bytes
        portion = Portion()
        // Not a child of this task: what has come is kept, even if the client hangs up now.
        inFlight = Task { [sink] in
            do {
                let answers = sent.jobs.isEmpty ? [] : try await sink(sent.jobs)
                return sent.answers(with: answers)
            } catch {
                let problem =
                    (error as? JobStoreError).map(Problem.init)
                    ?? Problem(.internal, "the line was not taken")
                return sent.answers(with: sent.jobs.map { _ in .failed(problem) })
            }
        }
    }

    private mutating func settle() async {
        guard let portion = await inFlight?.value else { return }
        inFlight = nil
        sentBytes = 0
        for answer in portion { answers.append(answer) }
        crashPoint("bulk-portion")
    }
}

/// Lines that go into the store together, the bad ones between the good ones.
private struct Portion: Sendable {
    private(set) var jobs: [NewJob] = []
    private(set) var bytes = 0
    /// By line; nil if the next job answers.
    private var problems: [Problem?] = []

    var count: Int { problems.count }

    mutating func append(_ line: Result<NewJob, Problem>, bytes: Int) {
        self.bytes += bytes
        switch line {
        case .success(let job):
            jobs.append(job)
            problems.append(nil)
        case .failure(let problem): problems.append(problem)
        }
    }

    /// One answer a line, in order.
    func answers(with answers: [BulkAnswers.Answer]) -> [BulkAnswers.Answer] {
        var next = answers.makeIterator()
        return problems.map { problem in
            if let problem { return .failed(problem) }
            return next.next() ?? .failed(Problem(.internal, "the line was not taken"))
        }
    }
}

extension LineSplitter.Line {
    fileprivate var count: Int {
        if case .text(let bytes) = self { bytes.count } else { 0 }
    }
}
