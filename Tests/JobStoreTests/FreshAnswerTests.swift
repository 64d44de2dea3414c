import Jobs
import Testing

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
}
