import Jobs
import SQLite

/// What queues require of jobs that come in, each queue looked up once.
struct Requirements {
    let connection: Connection
    private var known: [String: Entry] = [:]

    private struct Entry {
        var requirement: QueueRequirement
        var queueHasCheck = false
    }

    init(_ connection: Connection) {
        self.connection = connection
    }

    /// Why the job's queue does not take it; nil where it does.
    mutating func refusal(of job: NewJob) throws -> QueueRefusal? {
        let entry = try known[job.queue] ?? load(job.queue)
        known[job.queue] = entry
        return try entry.requirement.lack(of: job, inQueueWithCheck: entry.queueHasCheck)
            .map { QueueRefusal(queue: job.queue, lack: $0) }
    }

    private func load(_ queue: String) throws -> Entry {
        try connection.queryOne(
            """
            SELECT requires_system, requires_check, max_input_tokens, check_rules IS NOT NULL
            FROM queue
            WHERE name = ?1
            """, [.text(queue)]
        ) { row in
            Entry(requirement: QueueRequirement(row, from: 0), queueHasCheck: row.bool(3))
        } ?? Entry(requirement: QueueRequirement())
    }
}

extension QueueRequirement {
    /// System, check and input tokens, in this order.
    init(_ row: borrowing Row, from first: Int) {
        self.init(
            system: row.bool(first), check: row.bool(first + 1), maxInputTokens: row.intOrNil(first + 2))
    }
}
