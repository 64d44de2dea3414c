import Jobs
import Postgres

/// Requests and answers of listed jobs, read in portions: one has some kilobytes as a rule, but may have half of what a round trip may bring.
struct JobBodies {
    /// A portion ends with the body that takes it above so many bytes.
    private static let portion = 16 << 20

    private let wanted: Bodies
    private let ids: [Int64]
    /// The number of the next body, where each job has two, its request first; nil if all were read.
    private var next: Int64?
    private var requests: [Int64: [UInt8]] = [:]
    private var responses: [Int64: [UInt8]] = [:]

    init(_ wanted: Bodies, of ids: [Int64]) {
        self.wanted = wanted
        self.ids = ids
        next = wanted.isEmpty ? nil : 0
    }

    subscript(_ job: Int64) -> (request: [UInt8]?, response: [UInt8]?) { (requests[job], responses[job]) }

    /// For the next portion; none if all were read.
    var calls: [Call] {
        guard let next else { return [] }
        return [
            Call(
                .jobBodies,
                [
                    .integerArray(ids), .bool(wanted.contains(.request)), .bool(wanted.contains(.response)),
                    .integer(next), .integer(Self.portion),
                ])
        ]
    }

    mutating func take(_ rows: Rows) throws {
        var (bytes, last) = (0, Int64.max)
        for row in rows {
            let body = try row.bytes(2)
            bytes += body.count
            last = try row.int64(1)
            if last.isMultiple(of: 2) {
                requests[try row.int64(0)] = body
            } else {
                responses[try row.int64(0)] = body
            }
        }
        next = bytes < Self.portion ? nil : last + 1
    }

    mutating func readRest(_ access: Access) throws {
        while next != nil { for rows in try access.query(calls) { try take(rows) } }
    }
}

extension Statement {
    fileprivate static let jobBodies = Statement(
        "job-bodies",
        """
        SELECT portion.job_id, portion.number, portion.body
        FROM (
            SELECT body.job_id, body.number, body.body,
                sum(octet_length(body.body)) OVER (ORDER BY body.number) - octet_length(body.body) AS before
            FROM (
                SELECT wanted.job_id, 2 * wanted.number - 2 AS number, job.request AS body
                FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (job_id, number)
                JOIN job ON job.id = wanted.job_id
                WHERE $2::boolean
                UNION ALL
                SELECT wanted.job_id, 2 * wanted.number - 1, answer.body
                FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (job_id, number)
                CROSS JOIN LATERAL (
                    SELECT answer_id FROM job_place WHERE job_place.job_id = wanted.job_id LIMIT 1
                ) AS place
                JOIN answer ON answer.id = place.answer_id
                WHERE $3::boolean
            ) AS body
            WHERE body.number >= $4::bigint
        ) AS portion
        WHERE portion.before < $5::bigint
        ORDER BY portion.number
        """, .bigints, .bool, .bool, .bigint, .bigint)
}
