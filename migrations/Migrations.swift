/// One step of the schema, as embedded in the binary.
package struct Migration: Sendable {
    package let version: Int
    /// Its file in `migrations/sqlite`.
    package let file: String
    package let sql: [UInt8]

    /// Every step of the SQLite schema, in order.
    ///
    /// A step that was shipped is never edited.
    package static let sqlite: [Migration] = [
        Migration(version: 1, file: "0001_initial.sql", sql: PackageResources._001_initial_sql),
        Migration(
            version: 2, file: "0002_interactive_calls.sql", sql: PackageResources._002_interactive_calls_sql),
        Migration(
            version: 3, file: "0003_message_batches.sql", sql: PackageResources._003_message_batches_sql),
        Migration(version: 4, file: "0004_warm_prefixes.sql", sql: PackageResources._004_warm_prefixes_sql),
        Migration(version: 5, file: "0005_searches.sql", sql: PackageResources._005_searches_sql),
        Migration(
            version: 6, file: "0006_queue_requirements.sql",
            sql: PackageResources._006_queue_requirements_sql),
        Migration(
            version: 7, file: "0007_unfinished_jobs.sql", sql: PackageResources._007_unfinished_jobs_sql),
        Migration(version: 8, file: "0008_half_price.sql", sql: PackageResources._008_half_price_sql),
        Migration(version: 9, file: "0009_fresh_answers.sql", sql: PackageResources._009_fresh_answers_sql),
        Migration(version: 10, file: "0010_lists.sql", sql: PackageResources._010_lists_sql),
        Migration(version: 11, file: "0011_lane_kinds.sql", sql: PackageResources._011_lane_kinds_sql),
        Migration(version: 12, file: "0012_agreements.sql", sql: PackageResources._012_agreements_sql),
        Migration(version: 13, file: "0013_blame.sql", sql: PackageResources._013_blame_sql),
    ]
}
