package import Jobs
import SQLite

extension SQLiteJobStore {
    package func results(_ query: ResultsQuery, after: Int64, limit: Int) async throws -> [FinishedJob] {
        let now = now()
        return try await read { connection in
            let reader = JobDecoder(connection: connection, now: now, bodies: query.bodies)
            let places = try Results(connection, after: after, limit: limit).places(query)
            // All in one view of the database, so none has gone meanwhile.
            return zip(places, try reader.jobs(places.map(\.job))).map { place, job in
                FinishedJob(cursor: place.cursor, job: job)
            }
        }
    }
}

/// Where finished jobs are, some of them behind a place.
private struct Results {
    let connection: Connection
    let after: Int64
    let limit: Int

    struct Place {
        let cursor: Int64
        let job: Int64
    }

    init(_ connection: Connection, after: Int64, limit: Int) {
        self.connection = connection
        self.after = after
        self.limit = limit
    }

    func places(_ query: ResultsQuery) throws -> [Place] {
        switch query.source {
        case .all: try inOrder("", [])
        case .batch(let batch) where query.inputOrder: try inOrderOfInput(batch)
        case .batch(let batch):
            try either("AND batch_id = ?3", .integer(batch.value), JobFilter(batch: batch))
        case .queue(let name):
            try either(
                "AND queue_id = (SELECT id FROM queue WHERE name = ?3)", .text(name), JobFilter(queue: name))
        }
    }

    private func inOrderOfInput(_ batch: BatchID) throws -> [Place] {
        try connection.query(
            """
            SELECT batch_ordinal, id
            FROM job INDEXED BY job_batch
            WHERE batch_id = ?1 AND batch_ordinal > ?2 AND finish_order IS NOT NULL
            ORDER BY batch_ordinal
            LIMIT ?3
            """, [.integer(batch.value), .integer(after), .integer(limit)], Place.init)
    }

    /// Few jobs among many others are sorted; of many, some are soon met in the order of finishing.
    private func either(_ clause: String, _ value: Value, _ filter: JobFilter) throws -> [Place] {
        let search = Search(filter, in: [.succeeded, .failed, .cancelled], connection)
        return try connection.shortest(of: [true, false]) { isMany in
            try isMany ? inOrder(clause, [value]) : sorted(try search.ways()[0])
        }
    }

    private func inOrder(_ clause: String, _ values: [Value]) throws -> [Place] {
        let sql = SQL(
            """
            SELECT finish_order, id
            FROM job INDEXED BY job_finished
            WHERE finish_order > ?1 \(clause)
            ORDER BY finish_order
            LIMIT ?2
            """)
        return try connection.query(sql, [.integer(after), .integer(limit)] + values, Place.init)
    }

    private func sorted(_ walks: [Walk]) throws -> [Place] {
        var places: [Place] = []
        for walk in walks {
            let finished = walk.finished()
            for start in walk.starts {
                let values = walk.values(from: start, within: 0 ... .max)
                places += try connection.query(
                    finished, values + [.integer(after), .integer(limit)], Place.init)
            }
        }
        return Array(places.sorted { $0.cursor < $1.cursor }.prefix(limit))
    }
}

extension Results.Place {
    init(_ row: borrowing Row) {
        self.init(cursor: row.int64(0), job: row.int64(1))
    }
}
