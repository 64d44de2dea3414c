import Jobs
import Models
import Testing

@Suite struct DispatchingCallerTests {
    private struct Named: ModelCaller {
        var services: [ServiceKey]
        var name: String

        func call(_ attempt: ClaimedAttempt, listener: (any AnswerListener)?) async -> Outcome {
            Outcome(.abandoned(sent: false), requestID: name)
        }
    }

    private func service(_ name: String) -> ServiceKey {
        ServiceKey(provider: name, endpoint: "https://\(name).test", credential: "KEY", simulated: false)
    }

    private func attempt(on service: ServiceKey) -> ClaimedAttempt {
        ClaimedAttempt(
            key: AttemptKey(job: JobID(1), number: 1), queue: "default",
            route: RouteKey(service: service, model: "m"), request: Array("{}".utf8), maxTokens: 1,
            openedAt: Timestamp(milliseconds: 0), leaseUntil: Moment(epoch: 1, milliseconds: 1),
            deadline: nil,
            failures: 0, alone: false)
    }

    @Test func `each attempt goes to the caller that serves its service`() async {
        let caller = DispatchingCaller([
            Named(services: [service("a"), service("b")], name: "one"),
            Named(services: [service("c")], name: "two"),
        ])
        #expect(caller.services == [service("a"), service("b"), service("c")])
        #expect(await caller.call(attempt(on: service("b"))).requestID == "one")
        #expect(await caller.call(attempt(on: service("c"))).requestID == "two")
    }

    @Test func `an attempt of a service that nobody serves is not sent anywhere`() async {
        let outcome = await DispatchingCaller([]).call(attempt(on: service("a")))
        guard case .broken(let breakage) = outcome.result else {
            Issue.record("not broken")
            return
        }
        #expect(breakage.kind == .unsendable && !breakage.maySent)
    }
}
