import Jobs
import Telemetry
import Testing

@testable import API

@Suite("How long callers wait in line", .timeLimit(.minutes(1)))
struct InteractiveWaitTests {
    @Test("a wait is counted from the call's arrival, however often its call begins and comes to nothing")
    func fromArrival() async throws {
        let harness = Harness(store: FakeStore(clock: RunningClock()))
        let id = try await harness.job()
        let job = try #require(harness.store.look { $0.made[id] })
        var settings = APISettings(service: .test, apiKeys: [], version: "1")
        settings.interactiveWait = 1_500
        let api = API(store: harness.store, settings: settings, log: .silent)
        let conversation = Conversation(
            api: api, interactive: RestlessDesk(entered: id), job: job, streams: false,
            patience: settings.interactiveWait, flight: Repeats.Flight(nil, isRepeat: false, api.repeats))
        let error = await #expect(throws: Problem.self) { _ = try await conversation.reply() }
        #expect(error?.kind == .limitReached)
    }
}

private struct RunningClock: Clock {
    private let start = ContinuousClock.now

    func now() -> Now {
        let passed = Int64((ContinuousClock.now - start) / .milliseconds(1))
        return Now(
            timestamp: Timestamp(milliseconds: 1_700_000_000_000 + passed),
            moment: Moment(epoch: 1, milliseconds: passed))
    }
}

/// Each call that it makes comes to nothing after a moment, and the job waits again.
private struct RestlessDesk: InteractiveQueue, AnswerSubscription {
    let entered: JobID
    var head: AnswerHead? { nil }

    func submit(_ job: NewJob) async throws -> SubmittedCall {
        SubmittedCall(outcome: .created(entered), state: .queued, answer: self)
    }

    func answer(to job: JobID) -> any AnswerSubscription { self }

    func countTokens(_ request: [UInt8], on route: RouteKey, betas: [String]) async throws -> PassedAnswer? {
        nil
    }

    func news(after count: Int) async throws -> AnswerNews { .ended(try await ending()) }

    func ending() async throws -> AnswerEnding {
        try await Task.sleep(for: .milliseconds(300))
        return .elsewhere
    }
}
