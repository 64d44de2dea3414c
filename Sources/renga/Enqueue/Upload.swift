import JSON
import System

/// Sends the input to the server, a chunk after another, in bounded memory.
///
/// While one chunk is under way the next one is read and hashed.
struct Upload {
    /// Sees each chunk with its answers, in the order of the input.
    typealias Receiver = (Chunk, [JSON]) throws -> Void

    private let server: ServerClient
    private let query: [(String, String?)]
    private let size: Int?
    private var maker: LineMaker
    private let file: String
    private let isText: Bool
    private var bytes = 0
    private var lines = 0
    private var hasBegun = false
    /// Whether the number of sent lines is reported at the end.
    private let isReported: Bool

    /// `size` is the bytes of the input, for the progress bar; nil if it is unknown.
    init(
        server: ServerClient, query: [(String, String?)], maker: LineMaker, file: String, isText: Bool,
        size: Int?, isReported: Bool = true
    ) {
        self.isReported = isReported
        self.file = file
        self.isText = isText
        self.server = server
        self.query = query
        self.maker = maker
        self.size = size
    }

    /// Reads to the end; throws if the input cannot be read or the server stays away.
    mutating func run(_ reader: consuming LineReader, _ receive: Receiver) async throws {
        var progress = Progress()
        let start = ContinuousClock.now
        var underWay: Task<(Chunk, [JSON]), any Error>?
        while true {
            let chunk = try nextChunk(&reader)
            if let task = underWay {
                let (sent, answers) = try await task.value
                try stopIfTroubled(sent, answers)
                try receive(sent, answers)
                lines += answers.count
                progress.show(rate(since: start), share: share)
            }
            guard !chunk.isEmpty else { break }
            underWay = send(chunk)
        }
        // A rate that was measured in a moment says nothing.
        guard isReported, lines > 0, start.duration(to: .now) >= .seconds(1) else { return progress.clear() }
        progress.end(rate(since: start), share: size == nil ? nil : 1)
    }

    private mutating func nextChunk(_ reader: inout LineReader) throws -> Chunk {
        var chunk = Chunk()
        while !chunk.isFull, let line = try reader.next() {
            bytes += line.count + 1
            try check(line, number: reader.lineNumber)
            guard let job = maker.job(line) else { continue }
            chunk.append(job.bytes, shape: job.shape, line: reader.lineNumber)
        }
        return chunk
    }

    /// A fault of the whole file is reported once, and nothing more of it is sent.
    private mutating func check(_ line: [UInt8], number: Int) throws {
        if !hasBegun, line.contains(where: { $0 > 0x20 }) {
            try InputForm.check(first: line, of: file, isText: isText)
            hasBegun = true
        }
        try InputForm.check(line, number: number, of: file)
    }

    /// If the server itself has a problem (its disk is full, say), the lines are not at fault.
    private func stopIfTroubled(_ chunk: Chunk, _ answers: [JSON]) throws {
        let index = answers.firstIndex { ($0["error"]?["status"]?.int ?? 0) >= 500 }
        guard let index, let error = answers[index]["error"] else { return }
        throw Failure(
            """
            the server takes no more jobs, from line \(chunk.lineNumbers[index]) on: \(error.text("title")): \
            \(error.text("detail")). Then run the same command again: no job is enqueued twice
            """, status: .tryAgain)
    }

    /// Every line has a custom_id, so that a chunk sent again creates no job twice.
    private func send(_ chunk: Chunk) -> Task<(Chunk, [JSON]), any Error> {
        let hasAnswered = lines > 0
        return Task { [server, query] in
            var retry = ServerRetry(hasAnswered: hasAnswered)
            let bytes = try await retry.trying {
                try await server.send(
                    "POST", "/v1/jobs/bulk", query: query, body: chunk.body,
                    contentType: "application/x-ndjson")
            }
            return (chunk, try chunk.answers(bytes))
        }
    }

    private var share: Double? { size.map { Double(bytes) / Double(max(1, $0)) } }

    private func rate(since start: ContinuousClock.Instant) -> String {
        let perSecond = Double(lines) / max(0.001, start.duration(to: .now) / .seconds(1))
        return
            "\(isReported ? "sent" : "checked") \(Text.count(lines, "line")), \(Text.number(Int(perSecond))) a second"
    }
}
