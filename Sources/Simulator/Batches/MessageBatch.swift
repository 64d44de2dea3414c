/// A batch: the time of each row is fixed at its creation, and a row is done when it is next asked for.
struct MessageBatch: Sendable {
    /// Results can be had for so long after the creation: 29 days.
    private static let archiveAge: Int64 = 29 * 86_400_000
    /// The share of rows due while a batch is canceling that cannot be interrupted any more.
    private static let uninterruptible = 0.5

    let id: String
    let terms: BatchTerms
    /// The bytes of memory that its rows hold.
    let size: Int
    let rowCount: Int
    /// What chance is drawn from.
    private let seed: UInt64
    /// In the order in which they are done; none once archived.
    private(set) var rows: [BatchRow]
    /// How many rows are done: the first of `rows`.
    private var done = 0
    private(set) var counts: [String: Int] = [:]
    private(set) var cancelInitiatedAt: Int64?
    private(set) var endedAt: Int64?
    private(set) var archivedAt: Int64?

    init(
        _ envelope: BatchEnvelope, number: Int, version: APIVersion, _ settings: SimulatorSettings,
        at now: Int64
    ) {
        var random = SeededRandom(settings.seed, envelope.digest.words.1, UInt64(number))
        id = "msgbatch_" + identifier(&random)
        terms = BatchTerms(batch: id, createdAt: now, version: version, settings: settings)
        size = envelope.size
        rowCount = envelope.requests.count
        seed = random.next()
        rows = Self.planned(envelope.requests, settings.batches, at: now, &random)
    }

    var createdAt: Int64 { terms.createdAt }
    var expiresAt: Int64 { createdAt + terms.settings.batches.window }
    /// Rows that still wait.
    var waiting: Int { endedAt == nil ? rowCount - done : 0 }
    /// Rows whose memory is held.
    var keptRows: Int { rows.count }
    var keptBytes: Int { rows.isEmpty ? 0 : size }

    /// The rows in the order of the results: any, and always the same.
    var shuffled: [BatchRow] {
        var random = SeededRandom(seed, 1)
        return rows.shuffled(using: &random)
    }

    /// Does what is due by now, and ends the batch when its time has come.
    mutating func advance(to now: Int64, _ runner: BatchRunner) {
        if endedAt == nil { proceed(to: now, runner) }
        guard endedAt != nil, archivedAt == nil, now >= createdAt + Self.archiveAge else { return }
        archivedAt = createdAt + Self.archiveAge
        rows = []
    }

    /// From now on only what cannot be interrupted is done; `advance` must have come to this moment.
    mutating func cancel(at now: Int64) {
        guard endedAt == nil, cancelInitiatedAt == nil else { return }
        cancelInitiatedAt = now
        var random = SeededRandom(seed, 2)
        let open = rows[done...].map { row in
            var row = row
            let goesOn = random.unit() < Self.uninterruptible
            if !goesOn || row.due > end { row.due = BatchRow.never }
            return row
        }
        rows.replaceSubrange(
            done..., with: open.filter { $0.due < BatchRow.never } + open.filter { $0.due == BatchRow.never })
    }

    private var end: Int64 {
        let last = cancelInitiatedAt.map { $0 + terms.settings.batches.cancelTime } ?? rows.last?.due
        return min(last ?? createdAt, expiresAt)
    }

    private mutating func proceed(to now: Int64, _ runner: BatchRunner) {
        let end = end
        while done < rows.count, rows[done].due <= min(now, end) {
            runner.run(&rows[done], terms)
            finish()
        }
        guard now >= end else { return }
        while done < rows.count {
            runner.close(&rows[done], as: cancelInitiatedAt == nil ? .expired : .canceled, terms, at: end)
            finish()
        }
        endedAt = end
    }

    private mutating func finish() {
        counts[rows[done].outcome.name, default: 0] += 1
        done += 1
    }
}

extension MessageBatch {
    /// Spreads the rows evenly over the time that the batch takes; the last one of them takes it all.
    private static func planned(
        _ requests: [BatchEnvelope.Request], _ settings: BatchSettings, at now: Int64,
        _ random: inout SeededRandom
    ) -> [BatchRow] {
        let (shortest, longest) = (settings.turnaround.lowerBound, settings.turnaround.upperBound)
        let turnaround = shortest + Int64((random.unit() * Double(longest - shortest)).rounded())
        var last: Int?
        var rows: [BatchRow] = []
        rows.reserveCapacity(requests.count)
        for request in requests {
            var row = BatchRow(request, due: now + Int64(random.unit() * Double(turnaround)))
            let isStuck = random.unit() < settings.stuckShare
            if let asked = asked(request, at: now) {
                row.due = asked
            } else if isStuck {
                row.due = BatchRow.never
            } else if last.map({ rows[$0].due < row.due }) ?? true {
                last = rows.count
            }
            rows.append(row)
        }
        if let last { rows[last].due = now + turnaround }
        return rows.sorted { $0.due < $1.due }
    }

    /// When a row's prompt itself says that it is done; a marker that cannot be read is an error of the row later.
    private static func asked(_ request: BatchEnvelope.Request, at now: Int64) -> Int64? {
        guard let marker = (try? Marker.find(in: Array(request.params))) ?? nil else { return nil }
        if marker.fault?.kind == .stall { return BatchRow.never }
        return marker.latency.map { now + $0 }
    }
}
