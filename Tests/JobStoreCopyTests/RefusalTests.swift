import Postgres
import TestSupport
import Testing

@testable import JobStoreCopy

/// What cannot be copied is named, and nothing of it is taken for something else.
@Suite(.onThread) struct RefusalTests {
    @Test(arguments: [
        ("UPDATE lane SET variant = 'a' || char(0) || 'b' WHERE id = 3", "lane with id 3", "NUL"),
        ("UPDATE event SET message = CAST(x'ff61' AS TEXT) WHERE id = 2", "event with id 2", "is no text"),
        ("UPDATE route SET learned = 2 WHERE id = 4", "route with id 4", "learned is neither 0 nor 1"),
        ("UPDATE attempt SET budget_windows = '3,4' WHERE job_id = 5", "job_id 5, number 5", "is no list"),
        ("UPDATE attempt SET budget_windows = ',,' WHERE job_id = 6", "job_id 6, number 6", "is no list"),
        ("DELETE FROM job_body WHERE job_id = 9", "rows of job_body", "199"),
        ("UPDATE job SET finish_order = 1 << 62 WHERE id = 4", "order of finishing", "greater"),
        ("UPDATE lane SET queue_id = 999 WHERE id = 1", "lane with id 1", "foreign key"),
        ("PRAGMA user_version = 0", "schema version 0", ""),
    ])
    func `A file that cannot be copied`(_ change: String, _ row: String, _ reason: String) async throws {
        var sample = SampleRows(seed: 21)
        let folder = try Folder()
        try await folder.fill(sample.all())
        try folder.execute(change)
        try await withServer { server in
            let words = try await refusal {
                try await DatabaseCopy.copy(fromFile: folder.file, to: server.session, .same)
            }
            #expect(words?.contains(row) == true && words?.contains(reason) == true, "\(words ?? "copied")")
        }
    }

    @Test(arguments: [
        ("UPDATE route SET mean_call = 'NaN' WHERE id = 4", "route with id 4", "mean_call is not a number"),
        ("DELETE FROM waiting WHERE job_id = 1", "rows of waiting, running, ended", "199"),
        ("UPDATE running SET job_id = 7 WHERE job_id = 2", "job with id 2", "lane_id is null"),
        ("UPDATE running SET job_id = 1 WHERE job_id = 2", "job with id 1", "stands there twice"),
        ("UPDATE attempt SET error = '\\xff' WHERE job_id = 2", "job_id 2, number 2", "is no text"),
        ("UPDATE job_tag SET job_id = 999 WHERE job_id = 3", "job_id 999", "FOREIGN KEY"),
        ("UPDATE renga SET version = 9", "schema version 9", ""),
    ])
    func `A PostgreSQL database that cannot be copied`(
        _ change: String, _ row: String, _ reason: String
    ) async throws {
        var sample = SampleRows(seed: 22)
        let rows = sample.all()
        let folder = try Folder()
        try await withServer { server in
            try await server.fill(rows)
            try await server.execute(change)
            let words = try await refusal {
                try await DatabaseCopy.copy(from: server.session, toFile: folder.file)
            }
            #expect(words?.contains(row) == true && words?.contains(reason) == true, "\(words ?? "copied")")
        }
    }

    @Test func `A NUL character that an answer brought is replaced`() async throws {
        var sample = SampleRows(seed: 24)
        let folder = try Folder()
        try await folder.fill(sample.all())
        try folder.execute("UPDATE job_check SET reason = 'not “' || char(0) || '”' WHERE job_id = 3")
        try await withServer { server in
            try await DatabaseCopy.copy(fromFile: folder.file, to: server.session, .same)
            let query = "SELECT count(*) FROM job_check WHERE reason = 'not “\u{FFFD}”'"
            #expect(try await server.number(query) == 1)
        }
    }

    @Test func `One portion holds as much as fits, and one row at least`() async throws {
        var sample = SampleRows(seed: 23)
        let rows = sample.all()
        let folder = try Folder()
        try await folder.fill(rows)
        let portion = Portion(rows: 1_000, bytes: 20_000)
        let counts = try folder.read { reader in
            var counts: [Int] = []
            try reader.forEachPortion(of: .job, portion) { counts.append($0.count) }
            return counts
        }
        #expect(counts.reduce(0, +) == 200 && counts.contains(1) && counts.contains { $0 > 5 }, "\(counts)")
        try await withServer { server in
            try await server.fill(rows)
            let counts = try await server.session.run { connection in
                try connection.transaction(.snapshot) { transaction in
                    var counts: [Int] = []
                    try ServerReader(transaction).forEachPortion(of: .job, portion) {
                        counts.append($0.count)
                    }
                    return counts
                }
            }
            #expect(
                counts.reduce(0, +) == 200 && counts.contains(1) && counts.contains { $0 > 5 }, "\(counts)")
        }
    }
}
