import JSON
import Jobs

/// What became of each line of the input, in some twelve bytes a line.
struct LineOutcomes {
    /// Lines with something on them, in their order: the job, or nothing if the line was refused.
    private(set) var jobs: [JobID?] = []
    /// The line number of each in the input, from 1.
    private(set) var lineNumbers: [Int32] = []
    private(set) var created = 0
    /// Places in `jobs` of those that were there before.
    private(set) var existing: [Int32] = []
    private(set) var refused = 0
    /// Why lines were refused, by their places in `jobs`; the first of them only, so that memory stays bounded.
    private(set) var reasons: [Int: [UInt8]] = [:]

    static let reasonLimit = 10_000

    /// Takes the answer to a line; returns its refusal.
    mutating func take(_ answer: JSON, line: Int) -> LineRefusal? {
        defer { lineNumbers.append(Int32(clamping: line)) }
        guard let job = answer["id"]?.string.flatMap(JobID.init(_:)) else { return refuse(answer["error"]) }
        if answer.text("status") == "existing" {
            existing.append(Int32(clamping: jobs.count))
        } else {
            created += 1
        }
        jobs.append(job)
        return nil
    }

    private mutating func refuse(_ error: JSON?) -> LineRefusal {
        refused += 1
        if reasons.count < Self.reasonLimit, let error { reasons[jobs.count] = Array(error.raw) }
        jobs.append(nil)
        if let id = error?["id"]?.string, error?.text("type").hasSuffix("custom-id-taken") == true {
            return .conflict(with: id)
        }
        return .invalid(error?["detail"]?.string ?? "the server refused it without giving a reason")
    }
}
