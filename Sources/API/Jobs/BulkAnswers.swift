import JSON
import Jobs

/// What is answered to each line of a bulk upload, kept in nine bytes a line until the upload has ended.
struct BulkAnswers: Sendable {
    enum Answer {
        case created(JobID)
        case existing(JobID)
        case failed(Problem)
        /// Dry runs only: a call, the most that it can cost, and what it probably will.
        case new(atMost: Money, about: Money, isHalfPrice: Bool)
        /// Dry runs only: a call whose cost nobody can tell, and why.
        case unpriced(String)
        /// Dry runs only: its deadline has passed.
        case expired
        /// Dry runs only: the same prompt is further up.
        case duplicate
        /// Dry runs only.
        case cached(saves: Money)
        /// Dry runs only.
        case conflict(JobID)
    }

    private enum Tag: UInt8 {
        case created, existing, failed, failedInBrief, new, newAtHalfPrice, unpriced, duplicate, cached,
            expired
        case conflict
    }

    /// The bytes that details of errors may take; later errors keep their kind only.
    let errorBytes: Int
    private var tags: [UInt8] = []
    private var values: [Int64] = []
    /// What calls will probably cost, by line: empty but in a dry run.
    private var expectations: [Int64] = []
    private var errors: [[UInt8]] = []
    private var errorBytesUsed = 0

    init(errorBytes: Int) {
        self.errorBytes = errorBytes
    }

    var count: Int { tags.count }

    mutating func append(_ answer: Answer) {
        switch answer {
        case .created(let id): append(.created, id.value)
        case .existing(let id): append(.existing, id.value)
        case .failed(let problem): append(problem)
        case .new(let most, let about, let isHalfPrice):
            expectations += Array(repeating: 0, count: tags.count - expectations.count)
            expectations.append(about.nanodollars)
            append(isHalfPrice ? .newAtHalfPrice : .new, most.nanodollars)
        case .unpriced(let reason): append(reason)
        case .expired: append(.expired, 0)
        case .duplicate: append(.duplicate, 0)
        case .cached(let saved): append(.cached, saved.nanodollars)
        case .conflict(let id): append(.conflict, id.value)
        }
    }

    private mutating func append(_ tag: Tag, _ value: Int64) {
        tags.append(tag.rawValue)
        values.append(value)
    }

    private mutating func append(_ reason: String) {
        append(.unpriced, Int64(errors.count))
        errors.append(errorBytesUsed < errorBytes ? Array(reason.utf8) : [])
        errorBytesUsed += reason.utf8.count + 32
    }

    private mutating func append(_ problem: Problem) {
        guard errorBytesUsed < errorBytes else {
            let kind = Problem.Kind.allCases.firstIndex(of: problem.kind) ?? 0
            return append(.failedInBrief, Int64(kind))
        }
        var writer = JSONWriter()
        problem.write(to: &writer, requestID: nil)
        errorBytesUsed += writer.bytes.count + 32
        append(.failed, Int64(errors.count))
        errors.append(writer.bytes)
    }
}

extension BulkAnswers {
    /// The answer to a line as a line of JSON.
    func write(_ line: Int, to writer: inout JSONWriter) {
        let value = values[line]
        writer.object { writer in
            switch Tag(rawValue: tags[line]) {
            case .created, nil: writer.outcome("created", JobID(value))
            case .existing: writer.outcome("existing", JobID(value))
            case .conflict: writer.outcome("conflict", JobID(value))
            case .duplicate: writer.field("status", "duplicate")
            case .expired: writer.field("status", "expired")
            case .new, .newAtHalfPrice:
                writer.field("status", "new")
                writer.money("at_most_usd", Money(nanodollars: value))
                writer.money("about_usd", Money(nanodollars: expectations[line]))
                writer.field("half_price", Tag(rawValue: tags[line]) == .newAtHalfPrice)
            case .unpriced:
                writer.field("status", "new")
                writer.field("at_most_usd", String?.none)
                let reason = String(decoding: errors[Int(value)], as: UTF8.self)
                writer.field("detail", reason.isEmpty ? "no price is known" : reason)
            case .cached:
                writer.field("status", "cached")
                writer.money("saves_usd", Money(nanodollars: value))
            case .failed:
                writer.field("error", raw: errors[Int(value)])
            case .failedInBrief:
                let problem = Problem(
                    Problem.Kind.allCases[Int(value)], "too many errors before this one for details")
                writer.key("error")
                problem.write(to: &writer, requestID: nil)
            }
        }
        writer.newline()
    }
}

extension JSONWriter {
    fileprivate mutating func outcome(_ status: String, _ id: JobID) {
        field("id", id.description)
        field("status", status)
    }
}
