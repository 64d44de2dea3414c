import Jobs
import Postgres

/// How many jobs of one lane are in one state; never none.
struct Standing {
    let lane: Int64
    let state: JobState
    let jobs: Int

    /// Of the filter's queue and model, in some states.
    static func find(_ filter: JobFilter, in states: Set<JobState>, _ access: Access) throws -> [Standing] {
        let values: [Value] = [
            .text(filter.queue), .text(filter.model), .textArray(states.map(\.rawValue)),
        ]
        return try access.query(.standings, values).compactMap { row in
            guard let state = JobState(rawValue: try row.text(1)) else { return nil }
            return Standing(lane: try row.int64(0), state: state, jobs: try row.int(2))
        }
    }
}

extension [Standing] {
    var total: Int { reduce(0) { $0 + $1.jobs } }
}

extension Statement {
    fileprivate static let standings = Statement(
        "standings",
        """
        SELECT lane_tally.lane_id, lane_tally.state, lane_tally.jobs
        FROM lane
        JOIN route ON route.id = lane.route_id
        JOIN lane_tally ON lane_tally.lane_id = lane.id
        WHERE lane_tally.jobs > 0 AND lane_tally.state = ANY ($3::text[])
            AND ($1::text IS NULL OR lane.queue_id = (SELECT id FROM queue WHERE name = $1::text))
            AND ($2::text IS NULL OR route.model = $2::text)
        """, .text, .text, .texts)
}
