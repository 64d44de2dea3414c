import JSON
import Jobs

/// Reads the results of a batch as they come: a line each, in whatever pieces.
struct BatchLineReader {
    /// A line is a Message and some words around it.
    private static let longestLine = 64 << 20

    private let secret: Secret
    private var rest: [UInt8] = []
    private var lines: [BatchLine] = []
    /// Of the lines that wait to be taken.
    private(set) var bytes = 0

    var count: Int { lines.count }

    /// The secret is what the provider was sent, and what no line shall say.
    init(secret: Secret) {
        self.secret = secret
    }

    mutating func append(_ piece: [UInt8]) throws {
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
            try take(rest + piece[start..<end])
            rest = []
            start = end + 1
        }
        rest += piece[start...]
        guard rest.count <= Self.longestLine else { throw Self.malformed("a line has no end") }
    }

    /// What has no line's end is a line too, if it is whole.
    mutating func finish() throws {
        try take(rest)
        rest = []
    }

    mutating func take() -> [BatchLine] {
        defer { (lines, bytes) = ([], 0) }
        return lines
    }

    private mutating func take(_ line: [UInt8]) throws {
        guard line.contains(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }) else { return }
        lines.append(try BatchLine(secret.redacted(line)))
        bytes += line.count
    }

    static func malformed(_ what: String) -> JobError {
        JobError(type: "malformed_answer", message: "the batch's results: \(what)", retryable: true)
    }
}

extension BatchLine {
    /// Throws `JobError` if the line is none of a batch's results.
    init(_ line: [UInt8]) throws {
        let json: JSON
        do {
            json = try JSON.parse(line, maxDepth: JSON.deepest)
        } catch {
            throw BatchLineReader.malformed("a line is not JSON: \(error)")
        }
        guard let customID = json["custom_id"]?.string, let result = json["result"] else {
            throw BatchLineReader.malformed("a line has no custom_id or no result")
        }
        self.init(customID: customID, outcome: Outcome(batchResult: result))
    }
}

extension Outcome {
    /// What is not succeeded was not billed.
    init(batchResult result: JSON) {
        switch result["type"]?.string {
        case "succeeded":
            self.init(.batchMessage(result["message"]))
        case "errored":
            let error = result["error"]
            var refusal = Refusal(
                error.map { Array($0.raw) } ?? [], status: 500, retryAfter: nil)
            refusal.status = JobError.meantStatus(200, refusal.type)
            self.init(.refusal(refusal), requestID: error?["request_id"]?.string)
        case "canceled", "expired":
            self.init(.abandoned(sent: false))
        default:
            self.init(
                .broken(
                    Breakage(kind: .malformed, message: "a result of no known type", maySent: true)))
        }
    }
}

extension Outcome.Result {
    /// A batch's answers are half the price, whether or not they say so themselves.
    fileprivate static func batchMessage(_ message: JSON?) -> Outcome.Result {
        let read = Outcome.Result(message: message.map { Array($0.raw) } ?? [])
        guard case .answer(var answer) = read else { return read }
        answer.usage.isBatch = true
        return .answer(answer)
    }
}
