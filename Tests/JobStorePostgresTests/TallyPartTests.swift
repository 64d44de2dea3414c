import Jobs
import Postgres
import TestSupport
import Testing

@testable import JobStorePostgres
@testable import StoreConformance

/// Counts and sums that each connection has a part of are put together again, and stay what they are.
@Suite(.onThread) struct TallyPartTests {
    @Test func `Many parts become one, with the same sums`() async throws {
        let database = try PostgresDatabase()
        let connection = try Connection.open(database.connectionSettings())
        try connection.execute(
            script: """
                INSERT INTO lane_tally_part (lane_id, state, writer, jobs)
                SELECT lane_id, 'queued', writer, lane_id - writer FROM generate_series(1, 30) AS lane_id, generate_series(0, 255) AS writer;
                INSERT INTO batch_tally_part (batch_id, state, writer, jobs) SELECT 1, 'failed', writer, 1 FROM generate_series(1, 9) AS writer;
                INSERT INTO batch_money_part (batch_id, writer, cost) SELECT 1, writer, 9000000000000000000 FROM generate_series(1, 9) AS writer;
                INSERT INTO batch (id, name, created_at) VALUES (1, 'b', 0);
                INSERT INTO spend_part (day, lane_id, writer, cost) SELECT 5, 1, writer, writer FROM generate_series(0, 9) AS writer;
                INSERT INTO spend_tag_part (day, tag, writer, calls) SELECT 5, 't', writer, 1 FROM generate_series(3, 9) AS writer;
                INSERT INTO latency_part (minute, route_id, part, class, writer, answers)
                SELECT 9223372036854775807, 1, 'answer', 2, writer, 1 FROM generate_series(1, 9) AS writer;
                """)
        let before = try sums(connection)
        let store = try await PostgresJobStore(database.connectionSettings())
        _ = try await store.prune(olderThan: 0)
        await store.close()
        #expect(try sums(connection) == before)
        #expect(before.contains("1 9223372036854775807"))
        let parts = ["lane_tally", "batch_tally", "batch_money", "spend", "spend_tag", "latency"].map {
            "(SELECT count(*) FROM \($0)_part WHERE writer <> 0)"
        }.joined(separator: " + ")
        let left = try connection.run([Call(Statement("test-parts", assembled: "SELECT \(parts)"))])[0][0]
            .int64(0)
        #expect(left == 0)
        await database.destroy()
    }

    private func sums(_ connection: Connection) throws -> [String] {
        let query = """
            SELECT lane_id || ' ' || state || ' ' || jobs FROM lane_tally
            UNION ALL SELECT batch_id || ' ' || jobs FROM batch_tally
            UNION ALL SELECT id || ' ' || cost FROM whole_batch
            UNION ALL SELECT day || ' ' || cost FROM spend
            UNION ALL SELECT tag || ' ' || calls FROM spend_tag
            UNION ALL SELECT class || ' ' || answers FROM latency
            ORDER BY 1
            """
        return try connection.run([Call(Statement("test-sums", assembled: query))])[0].map { try $0.text(0) }
    }
}
