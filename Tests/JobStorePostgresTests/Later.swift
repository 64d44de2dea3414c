import Migrations

@testable import JobStorePostgres

/// A step that a later version might bring.
enum Later {
    static func steps(worksFrom: Int = Schema.version + 1, settlesFrom: Int = Schema.version) -> [Migration] {
        let version = Schema.version + 1
        return Migration.postgres + [
            Migration(
                version: version, file: "made_up.sql",
                sql: Array(
                    """
                    ALTER TABLE job ADD COLUMN note text;
                    CREATE TABLE note (job_id bigint PRIMARY KEY, body text NOT NULL);
                    INSERT INTO note (job_id, body) SELECT job_id, state FROM job_place;
                    UPDATE renga SET version = \(version), works_from = \(worksFrom), settles_from = \(settlesFrom);
                    """.utf8))
        ]
    }
}
