import Jobs
import SQLite
import Testing
import TestSupport

@testable import JobStoreSQLite
@testable import StoreConformance

/// Answers on their way from memory into the index of prompts, with every process's memory of its own.
@Suite struct RecentAnswerTests {
    private func request(_ harness: StoreHarness) -> ClaimRequest {
        ClaimRequest(
            worker: harness.worker, slots: 5, running: 0, lease: 30_000, services: [Sample.service])
    }

    @Test func `an answer is found by all processes, before it is filed, meanwhile and afterwards`()
        async throws
    {
        try await StoreHarness.run(.sqlite) { harness in
            let second = try await harness.openAnother()
            try await harness.warmUp()
            for round in 0..<60 {
                let settling = round.isMultiple(of: 2) ? harness.store : second
                let looking = round.isMultiple(of: 3) ? harness.store : second
                try await harness.enqueue("prompt \(round)")
                let attempt = try await harness.claimOne()
                _ = try await settling.settle(Sample.success(attempt.key, "positive"))
                harness.clock.advance(1)
                for old in [round, round * 7 % (round + 1), 0] { try await harness.enqueue("prompt \(old)") }
                let claim = try await looking.claim(request(harness))
                #expect(claim.attempts.isEmpty)
                #expect(claim.settledFromCache == 3)
            }
            await second.close()
        }
    }

    @Test func `a process that comes later finds them all`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            try await harness.warmUp()
            for number in 0..<25 {
                try await harness.enqueue("prompt \(number)")
                try await harness.succeed(try await harness.claimOne())
            }
            let second = try await harness.openAnother()
            for number in 0..<25 { try await harness.enqueue("prompt \(number)") }
            let claim = try await second.claim(request(harness))
            #expect(claim.attempts.isEmpty)
            #expect(claim.settledFromCache == 25)
            await second.close()
        }
    }

    @Test func `answers that were pruned are forgotten wherever they stood`() async throws {
        try await StoreHarness.run(.sqlite, StoreTerms(cacheTTL: 60_000)) { harness in
            try await harness.warmUp()
            for number in 0..<25 {
                try await harness.enqueue("prompt \(number)")
                try await harness.succeed(try await harness.claimOne())
            }
            harness.clock.advance(120_000)
            harness.isPruned = true
            _ = try await harness.store.prune(olderThan: 0)
            try await harness.audit()
            // Their numbers may be given again.
            for number in 20..<45 {
                try await harness.enqueue("prompt \(number)")
                try await harness.succeed(try await harness.claimOne())
            }
        }
    }

    @Test(arguments: [false, true])
    func `what was undone is forgotten, and its numbers may come again with others`(_ says: Bool) throws {
        let connection = try Connection(path: ":memory:", checksVolume: false)
        try connection.execute(
            "CREATE TABLE answer_recent (number INTEGER PRIMARY KEY, prompt BLOB NOT NULL, answer_id INTEGER NOT NULL)"
        )
        let fresh = RecentAnswers(isWriter: true)
        func operation(_ prompt: UInt8, answer: Int64) throws {
            fresh.operationBegins()
            try connection.run(
                "INSERT INTO answer_recent (prompt, answer_id) VALUES (?1, ?2)",
                [hash(prompt), .integer(answer)])
            guard says else { return }
            fresh.wrote(
                connection.lastInsertRowID, answer, to: [UInt8](repeating: prompt, count: 8))
        }
        func found(_ prompt: UInt8) throws -> [Int64] {
            try fresh.answers(to: [UInt8](repeating: prompt, count: 8), connection)
        }
        try operation(1, answer: 11)
        #expect(try found(1) == [11])
        fresh.committed()

        try connection.run("BEGIN IMMEDIATE")
        try operation(1, answer: 12)
        #expect(try found(1) == [12, 11])
        try operation(2, answer: 13)
        #expect(try found(2) == [13])
        try connection.run("DELETE FROM answer_recent WHERE number = 3")
        fresh.operationUndone()
        try operation(3, answer: 13)
        #expect(try (found(2), found(3)) == ([], [13]))
        try connection.run("ROLLBACK")
        fresh.transactionUndone()

        try operation(4, answer: 12)
        #expect(try (found(1), found(3), found(4)) == ([11], [], [12]))
    }

    @Test func `what others wrote before it is read`() throws {
        let connection = try Connection(path: ":memory:", checksVolume: false)
        try connection.execute(
            """
            CREATE TABLE answer_recent (number INTEGER PRIMARY KEY, prompt BLOB NOT NULL, answer_id INTEGER NOT NULL);
            INSERT INTO answer_recent VALUES (1, x'0101010101010101', 11), (2, x'0202020202020202', 12)
            """)
        let recent = RecentAnswers(isWriter: true)
        func found(_ prompt: UInt8) throws -> [Int64] {
            try recent.answers(to: [UInt8](repeating: prompt, count: 8), connection)
        }
        recent.operationBegins()
        try connection.run("INSERT INTO answer_recent VALUES (3, ?1, 13)", [hash(1)])
        recent.wrote(3, 13, to: [UInt8](repeating: 1, count: 8))
        #expect(try (found(1), found(2)) == ([13, 11], [12]))
        // The next one follows what is known.
        try connection.run("INSERT INTO answer_recent VALUES (4, ?1, 14)", [hash(2)])
        recent.wrote(4, 14, to: [UInt8](repeating: 2, count: 8))
        #expect(try (found(1), found(2)) == ([13, 11], [14, 12]))
    }

    private func hash(_ prompt: UInt8) -> Value { .blob([UInt8](repeating: prompt, count: 8)) }
}
