import JSON
import Jobs
import System

/// Writes what became of each line, in the order of the input, in bounded memory.
///
/// The batch's results come as a stream in the order in which its jobs were sent, which is the order of the input
/// unless lines were moved or belong to other batches: those are asked for one by one.
struct ResultsFile {
    private let server: ServerClient
    private let batch: String
    private let outcomes: LineOutcomes

    init(server: ServerClient, batch: String, outcomes: LineOutcomes) {
        self.server = server
        self.batch = batch
        self.outcomes = outcomes
    }

    /// The file appears when it is complete; `see` gets each job's state.
    func write(to target: ResultsTarget, see: (String) -> Void) async throws {
        var file = try ResultsSink(target)
        var places = LinePositions(outcomes)
        var cursor: String?
        var retry = ServerRetry(hasAnswered: true)
        try await retry.trying {
            try await stream(after: &cursor) { job in
                guard let place = places.take(job) else { return }
                try await fill(upTo: place, &places, &file, see)
                try write(job, place, &file, see)
                places.next = place + 1
            }
        }
        try await fill(upTo: outcomes.jobs.count, &places, &file, see)
        try file.finish()
    }

    /// Hands over the batch's results; one that broke off goes on behind the last of them.
    private func stream(after cursor: inout String?, _ body: (JSON) async throws -> Void) async throws {
        var splitter = LineBuffer()
        let query = [("batch_id", batch), ("order", "input"), ("after", cursor)]
        var last = cursor
        defer { cursor = last }
        try await server.stream("/v1/results", query: query) { piece in
            for line in splitter.append(piece) {
                let job = try JSON.parse(line, maxDepth: JSON.deepest)
                try await body(job)
                last = job["cursor"]?.string ?? last
            }
        }
    }

    /// Writes the lines before a place which the stream did not bring.
    private func fill(
        upTo end: Int, _ places: inout LinePositions, _ file: inout ResultsSink, _ see: (String) -> Void
    ) async throws {
        while places.next < end {
            let range = places.next..<min(end, places.next + 512)
            var jobs: [JobID: JSON] = [:]
            try await server.ended(outcomes.jobs[range].compactMap(\.self)) { job in
                if let id = JobID(job.text("id")) { jobs[id] = job }
            }
            for place in range {
                if let id = outcomes.jobs[place], let job = jobs[id] {
                    try write(job, place, &file, see)
                } else {
                    try file.append(
                        ResultLine.refused(outcomes.reasons[place], line: outcomes.lineNumbers[place]))
                }
            }
            places.next = range.upperBound
        }
    }

    private func write(_ job: JSON, _ place: Int, _ file: inout ResultsSink, _ see: (String) -> Void) throws {
        see(job.text("state"))
        try file.append(ResultLine.text(job, line: outcomes.lineNumbers[place]))
    }
}

/// The places of the stream's jobs in the input.
private struct LinePositions {
    /// The first place that is not written yet.
    var next = 0
    private let jobs: [JobID?]
    /// Made when it is needed first: most streams come in order.
    private var known: [JobID: Int32]?

    init(_ outcomes: LineOutcomes) {
        jobs = outcomes.jobs
    }

    /// The place of a job that is still to be written; nil for one that is not of this input, or was written.
    mutating func take(_ job: JSON) -> Int? {
        guard let id = JobID(job.text("id")) else { return nil }
        if jobs.indices.contains(next), jobs[next] == id { return next }
        let known = known ?? places()
        self.known = known
        return known[id].flatMap { Int($0) >= next ? Int($0) : nil }
    }

    private func places() -> [JobID: Int32] {
        var places: [JobID: Int32] = [:]
        for (place, id) in jobs.enumerated().reversed() {
            if let id { places[id] = Int32(clamping: place) }
        }
        return places
    }
}
