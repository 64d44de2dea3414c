import Jobs
import SQLite
import Testing

@testable import JobStoreSQLite

/// Answers on their way from memory into the index of prompts, with every process's memory of its own.
@Suite struct FreshAnswerTests {
    private func request(_ bench: Bench) -> ClaimRequest {
        ClaimRequest(
            worker: bench.worker, slots: 5, running: 0, lease: 30_000, services: [Sample.service])
    }

    @Test(arguments: Backend.allCases)
    func `an answer is found by all processes, before it is filed, meanwhile and afterwards`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            let second = try await backend.open(bench.directory)
            try await bench.warmUp()
            for round in 0..<60 {
                let settling = round.isMultiple(of: 2) ? bench.store : second
                let looking = round.isMultiple(of: 3) ? bench.store : second
                try await bench.enqueue("prompt \(round)")
                let attempt = try await bench.claimOne()
                _ = try await settling.settle(Sample.success(attempt.key, "positive"), now: bench.now)
                bench.clock.advance(1)
                for old in [round, round * 7 % (round + 1), 0] { try await bench.enqueue("prompt \(old)") }
                let claim = try await looking.claim(request(bench), now: bench.now)
                #expect(claim.attempts.isEmpty)
                #expect(claim.settledFromCache == 3)
            }
            await second.close()
        }
    }

    @Test(arguments: Backend.allCases)
    func `a process that comes later finds them all`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            for number in 0..<25 {
                try await bench.enqueue("prompt \(number)")
                try await bench.succeed(try await bench.claimOne())
            }
            let second = try await backend.open(bench.directory)
            for number in 0..<25 { try await bench.enqueue("prompt \(number)") }
            let claim = try await second.claim(request(bench), now: bench.now)
            #expect(claim.attempts.isEmpty)
            #expect(claim.settledFromCache == 25)
            await second.close()
        }
    }

    @Test(arguments: Backend.allCases)
    func `answers that were pruned are forgotten wherever they stood`(_ backend: Backend) async throws {
        try await Bench.run(backend, cacheTTL: 60_000) { bench in
            try await bench.warmUp()
            for number in 0..<25 {
                try await bench.enqueue("prompt \(number)")
                try await bench.succeed(try await bench.claimOne())
            }
            bench.clock.advance(120_000)
            bench.isPruned = true
            _ = try await bench.store.prune(finishedBefore: bench.now.timestamp, now: bench.now)
            try bench.audit()
            // Their numbers may be given again.
            for number in 20..<45 {
                try await bench.enqueue("prompt \(number)")
                try await bench.succeed(try await bench.claimOne())
            }
        }
    }

    @Test func `what was undone is forgotten, and its numbers may come again with others`() throws {
        let connection = try Connection(path: ":memory:", checksVolume: false)
        try connection.execute(
            "CREATE TABLE answer_fresh (number INTEGER PRIMARY KEY, prompt BLOB NOT NULL, answer_id INTEGER NOT NULL)"
        )
        let fresh = FreshAnswers(isWriter: true)
        func operation(_ prompt: UInt8, answer: Int64) throws {
            fresh.operationBegins()
            try connection.run(
                "INSERT INTO answer_fresh (prompt, answer_id) VALUES (?1, ?2)",
                [hash(prompt), .integer(answer)])
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
        try connection.run("DELETE FROM answer_fresh WHERE number = 3")
        fresh.operationUndone()
        try operation(3, answer: 13)
        #expect(try (found(2), found(3)) == ([], [13]))
        try connection.run("ROLLBACK")
        fresh.transactionUndone()

        try operation(4, answer: 12)
        #expect(try (found(1), found(3), found(4)) == ([11], [], [12]))
    }

    private func hash(_ prompt: UInt8) -> Value { .blob([UInt8](repeating: prompt, count: 8)) }
}
