import Jobs
import Testing

@Suite struct FallbackChainsTests {
    private static let service = ServiceKey(
        provider: "anthropic", endpoint: "https://a", credential: "KEY", simulated: false)
    private static let simulator = ServiceKey(
        provider: "anthropic", endpoint: "simulator", credential: "KEY", simulated: true)
    private static let haiku = RouteKey(service: service, model: "haiku")
    private static let sonnet = RouteKey(service: service, model: "sonnet")
    private static let opus = RouteKey(service: service, model: "opus")

    private let chains = FallbackChains([
        haiku: [
            Fallback(route: sonnet, causes: [.breaker, .rateLimit, .overloaded]),
            Fallback(route: opus, causes: [.breaker, .budget, .contextTooLong]),
        ]
    ])

    private func choose(
        from position: Int = 0, _ admissions: [RouteKey: RouteLedger.Admission]
    ) -> FallbackChains.Choice {
        chains.choose(from: position, of: Self.haiku) { admissions[$0] }
    }

    private static let admitted = RouteLedger.Admission.admitted(asProbe: false)
    private static func closed(_ gate: WaitingFor.Reason, after: Milliseconds? = 100) -> RouteLedger.Admission
    {
        .refused(gate, gate.rawValue, after: after)
    }

    @Test func `An open route is flown whatever its chain`() {
        #expect(choose([Self.haiku: Self.admitted, Self.sonnet: Self.admitted]) == .fly(position: 0, nil))
    }

    @Test func `A closed route gives way to the first that takes calls for that cause`() {
        #expect(
            choose([Self.haiku: Self.closed(.breaker), Self.sonnet: Self.admitted])
                == .fly(position: 1, .breaker))
        #expect(
            choose([Self.haiku: Self.closed(.budget), Self.sonnet: Self.admitted, Self.opus: Self.admitted])
                == .fly(position: 2, .budget))
    }

    @Test func `A fallback that is closed too gives way for its own cause`() {
        #expect(
            choose([
                Self.haiku: Self.closed(.rateLimit), Self.sonnet: Self.closed(.breaker),
                Self.opus: Self.admitted,
            ]) == .fly(position: 2, .breaker))
    }

    @Test func `Where all are closed the job waits for its own, and looks when the first of them opens`() {
        #expect(
            choose([
                Self.haiku: Self.closed(.rateLimit, after: 900),
                Self.sonnet: Self.closed(.rateLimit, after: 70),
            ]) == .wait(.rateLimit, "rate_limit", after: 70))
    }

    @Test func `A pause by a person, or the first call of all, is no cause`() {
        for gate in [Self.closed(.pause), Self.closed(.concurrency), Self.closed(.rateLimit, after: nil)] {
            guard case .wait = choose([Self.haiku: gate, Self.sonnet: Self.admitted]) else {
                Issue.record("flew for \(gate)")
                return
            }
        }
    }

    @Test func `A route that this worker cannot call is passed over`() {
        #expect(
            choose([Self.haiku: Self.closed(.breaker), Self.opus: Self.admitted])
                == .fly(position: 2, .breaker))
    }

    @Test func `A job that left its route begins where it stands`() {
        #expect(
            choose(from: 1, [Self.haiku: Self.admitted, Self.sonnet: Self.admitted]) == .fly(position: 1, nil)
        )
    }

    @Test func `A position that the chain has no longer is the route itself`() {
        #expect(chains.route(at: 7, of: Self.haiku) == Self.haiku)
        #expect(chains.route(at: 1, of: Self.opus) == Self.opus)
        #expect(chains.next(after: 7, of: Self.haiku, for: .breaker) == nil)
    }

    @Test func `Nothing falls back to a simulated route, nor from one`() {
        let fake = RouteKey(service: Self.simulator, model: "haiku")
        let any = Set(Fallback.Cause.allCases)
        #expect(
            FallbackChains([
                Self.haiku: [Fallback(route: fake, causes: any)],
                fake: [Fallback(route: Self.haiku, causes: any)],
            ]).isEmpty)
    }

    @Test(
        arguments: [
            (529, "overloaded_error", "m", .overloaded), (400, "invalid_request_error", "no", .refused),
            (400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", .contextTooLong),
            (400, "context_length_exceeded", "This model's limit", .contextTooLong),
            (403, "permission_error", "no", .refused), (429, "rate_limit_error", "m", nil),
            (500, "api_error", "m", nil), (401, "authentication_error", "m", nil),
        ] as [(Int, String, String, Fallback.Cause?)])
    func `What the provider says is a cause or none`(
        status: Int, type: String, message: String, cause: Fallback.Cause?
    ) {
        var random = SystemRandom()
        let decision = Decision.decide(
            Outcome(.refusal(Refusal(status: status, type: type, message: message))), failures: 0,
            policy: RetryPolicy(), using: &random)
        let settlement = Settlement(
            key: AttemptKey(job: JobID(1), number: 1), verdict: decision.verdict,
            routeEvent: decision.routeEvent)
        #expect(Fallback.Cause(settlement) == cause)
    }

    @Test(
        arguments: [
            ("refusal", .refused), ("model_context_window_exceeded", .contextTooLong), ("end_turn", nil),
        ] as [(String, Fallback.Cause?)])
    func `An answer that is none is a cause too`(stopReason: String, cause: Fallback.Cause?) {
        let answer = Answer(body: [], model: "m", usage: Usage(), stopReason: stopReason)
        let settlement = Settlement(
            key: AttemptKey(job: JobID(1), number: 1), verdict: .succeeded, routeEvent: .succeeded,
            answer: answer)
        #expect(Fallback.Cause(settlement) == cause)
    }
}
