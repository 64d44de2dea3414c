import Jobs
import TestSupport
import Testing

/// When a failure counts, and that no job goes on for ever.
@Suite struct StandingTests {
    private let error = JobError(type: "api_error", message: "down", retryable: true)
    private let now = Timestamp(milliseconds: 1_000)

    private func resolve(_ blame: Verdict.Blame, _ change: (inout Standing) -> Void) -> ResolvedVerdict {
        var standing = Standing(maxAttempts: 4)
        change(&standing)
        return Verdict.again(after: 500, error, blame).resolve(standing, now: now)
    }

    @Test func `A failure counts where others succeeded, and not where nothing else ran`() {
        #expect(!resolve(.ifOthersSucceeded) { _ in }.counted)
        #expect(resolve(.ifOthersSucceeded) { $0.othersSucceeded = true }.counted)
        #expect(!resolve(.never) { $0.othersSucceeded = true }.counted)
    }

    @Test(arguments: [Verdict.Blame.ifOthersSucceeded, .never])
    func `What may have been paid for counts after two that were forgiven`(blame: Verdict.Blame) {
        for forgiven in 0..<2 {
            #expect(
                !resolve(blame) {
                    $0.mayBePaid = true
                    $0.forgiven = forgiven
                }.counted)
        }
        #expect(
            resolve(blame) {
                $0.mayBePaid = true
                $0.forgiven = 2
            }.counted)
        // What cost nothing is forgiven as often as it comes.
        #expect(!resolve(blame) { $0.forgiven = 2 }.counted)
    }

    @Test func `A job that failed ten thousand times in a row fails for good`() {
        let last = resolve(.never) { $0.failures = Standing.mostFailures - 1 }
        guard case .failed(let error) = last.resolution else {
            Issue.record("it goes on")
            return
        }
        #expect(error.message.contains("10000 attempts in a row"))
        guard case .held = resolve(.never, { $0.failures = Standing.mostFailures - 2 }).resolution else {
            Issue.record("it ended too soon")
            return
        }
    }

    /// Whatever comes, and in whatever order: a job is paid for `max_attempts` and two times at the most.
    @Test func `No sequence of failures costs a job more than its attempts and two more`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        for _ in 0..<20_000 {
            var standing = Standing(maxAttempts: Int.random(in: 1...6, using: &random))
            var (paid, calls) = (0, 0)
            while calls < 200 {
                calls += 1
                standing.mayBePaid = Bool.random(using: &random)
                standing.othersSucceeded = Int.random(in: 0..<10, using: &random) == 0
                if standing.mayBePaid { paid += 1 }
                let blame =
                    [Verdict.Blame.ifOthersSucceeded, .never, .counted].randomElement(using: &random)
                    ?? .never
                let resolved = Verdict.again(after: 1, error, blame).resolve(standing, now: now)
                guard case .held = resolved.resolution else { break }
                standing.failures += 1
                standing.attemptsCounted += resolved.counted ? 1 : 0
                standing.forgiven += !resolved.counted && standing.mayBePaid ? 1 : 0
            }
            #expect(paid <= standing.maxAttempts + Standing.mostForgiven)
        }
    }
}
