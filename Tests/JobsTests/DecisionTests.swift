import Jobs
import Testing

/// Every row of the table "what failure means".
@Suite struct DecisionTests {
    private static let policy = RetryPolicy(base: 100, cap: 100)

    private func decide(_ result: Outcome.Result, failures: Int = 0, deadlinePassed: Bool = false) -> Decision
    {
        var random = SystemRandom()
        return Decision.decide(
            Outcome(result, requestID: "req_1"), failures: failures, deadlinePassed: deadlinePassed,
            policy: Self.policy, using: &random)
    }

    private func refuse(
        _ status: Int, _ type: String? = nil, code: String? = nil, _ message: String = "m",
        retryAfter: Milliseconds? = nil, usage: Usage? = nil, began: Bool = false
    ) -> Decision {
        decide(
            .refusal(
                Refusal(
                    status: status, type: type, code: code, message: message,
                    retryAfter: retryAfter.map(RetryAfter.init), usage: usage,
                    answerBegan: began)))
    }

    @Test func `An answer succeeds, whatever its deadline`() {
        let answer = Answer(body: [], model: "m", usage: Usage(), stopReason: "refusal")
        #expect(decide(.answer(answer)) == Decision(verdict: .succeeded, routeEvent: .succeeded))
        #expect(decide(.answer(answer), deadlinePassed: true).verdict == .succeeded)
    }

    @Test(arguments: [
        (400, "invalid_request_error"), (404, "not_found_error"), (413, "request_too_large"), (422, nil),
        (405, nil),
        (410, nil),
    ])
    func `A request that is at fault fails, and its signature tells a run of its like`(
        status: Int, type: String?
    ) {
        let decision = refuse(status, type)
        let error = JobError(
            type: type ?? "invalid_request_error", message: "m", status: status, requestID: "req_1",
            retryable: false)
        #expect(
            decision
                == Decision(
                    verdict: .failed(error),
                    routeEvent: .refused(signature: "\(status) \(type ?? "invalid_request_error")")))
    }

    @Test func `A 400 that reads like the spend cap is only suspected, and the job waits`() {
        let decision = refuse(
            400, "invalid_request_error",
            "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."
        )
        let until = Timestamp(text: "2026-12-01T00:00:00Z")
        #expect(decision.routeEvent == .spendCapped(until: until, suspected: true))
        #expect(decision.verdict.waits)
    }

    @Test(arguments: [
        (
            400,
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade."
        ),
        (400, "You have reached your specified workspace API usage limits."),
        (400, "  Billing hard limit has been reached"),
        (429, "You exceeded your current quota, please check your plan and billing details."),
        (403, "Your credit balance is too low"),
    ])
    func `The known wordings of used-up credit are suspected to be a cap`(status: Int, message: String) {
        let decision = refuse(status, "invalid_request_error", message)
        #expect(decision.routeEvent == .spendCapped(until: nil, suspected: true))
        #expect(decision.verdict.waits)
    }

    @Test(arguments: [
        "messages.0.content: “Your credit balance is too low” is not allowed",
        "Output blocked: the prompt says your credit balance is too low to access the Anthropic API",
        "tools.0: api usage limits",
    ])
    func `A message that only quotes such words is a refusal like any other`(message: String) {
        let decision = refuse(400, "invalid_request_error", message)
        #expect(decision.routeEvent == .refused(signature: "400 invalid_request_error"))
    }

    @Test(
        arguments: [
            (402, nil, nil, "Pay up"), (429, "rate_limit_error", "enforced_spend_limit_reached", "m"),
            (429, nil, "contract_spend_limit_reached", "m"), (200, "billing_error", nil, "m"),
        ] as [(Int, String?, String?, String)])
    func `A spend cap pauses the route, and the job waits`(
        status: Int, type: String?, code: String?, message: String
    ) {
        let decision = refuse(status, type, code: code, message)
        #expect(decision.routeEvent == .spendCapped(until: nil, suspected: false))
        #expect(decision.verdict.waits)
    }

    @Test(
        arguments: [
            ("back on 2026-12-01", "2026-12-01T00:00:00.000Z"),
            ("(2027-01-05 at 13:30 UTC)", "2027-01-05T13:30:00.000Z"),
            ("2026-12-01T08:15:59Z", "2026-12-01T08:15:00.000Z"),
            ("on 2026-12-01 at 25:99", "2026-12-01T00:00:00.000Z"),
            ("on 2026-13-01, then 2026-12-02", "2026-12-02T00:00:00.000Z"), ("on 01-12-2026", nil),
            ("req-2026", nil),
        ] as [(String, String?)])
    func `The date that a spend cap names is found`(message: String, date: String?) {
        let event = refuse(402, nil, message).routeEvent
        #expect(event == .spendCapped(until: date.flatMap(Timestamp.init(text:)), suspected: false))
    }

    @Test func `A broken connection says nothing of a route that has another endpoint`() {
        var random = SystemRandom()
        var outcome = Outcome(.broken(Breakage(kind: .reset, message: "m", maySent: true)))
        outcome.routeIsWell = true
        let decision = Decision.decide(outcome, failures: 0, policy: Self.policy, using: &random)
        #expect(decision.routeEvent == .neutral && decision.unconfirmedCost)
    }

    @Test func `A 401 pauses the route and keeps the job`() {
        let decision = refuse(401)
        #expect(decision.routeEvent == .unauthorized)
        #expect(decision.verdict.waits && decision.verdict.error?.type == "authentication_error")
    }

    @Test func `A 403 fails the job, the route is only suspected`() {
        let decision = refuse(403)
        #expect(decision.routeEvent == .forbidden)
        #expect(decision.verdict.error?.type == "permission_error" && decision.verdict.fails)
    }

    @Test(arguments: [408, 409, 500, 502, 503, 504, 599, 302, 999])
    func `A provider's trouble is tried again, counted only if others succeeded`(status: Int) {
        let decision = refuse(status)
        #expect(decision.routeEvent == .unavailable && !decision.unconfirmedCost)
        #expect(decision.verdict.delay.map { (1...100).contains($0) } == true)
        #expect(decision.verdict.blame == .ifOthersSucceeded)
        #expect(decision.verdict.error?.type == "api_error")
    }

    @Test func `A provider that names a delay is not asked earlier`() {
        #expect(refuse(503, retryAfter: 5000).verdict.delay == 5000)
    }

    @Test(arguments: [(429, nil), (429, 7000)] as [(Int, Milliseconds?)])
    func `A rate limit closes the gate and blames nobody`(status: Int, retryAfter: Milliseconds?) {
        let decision = refuse(status, retryAfter: retryAfter)
        #expect(decision.routeEvent == .rateLimited(retryAfter: retryAfter))
        #expect(decision.verdict.waits && decision.verdict.error?.type == "rate_limit_error")
    }

    @Test(
        arguments: [
            (529, nil, "m"), (503, nil, "Service Overloaded"), (503, "overloaded_error", "m"),
            (200, "overloaded_error", "m"),
        ] as [(Int, String?, String)])
    func `An overload waits longer and is never counted`(status: Int, type: String?, message: String) {
        let decision = refuse(status, type, message, retryAfter: 300)
        #expect(decision.routeEvent == .overloaded(retryAfter: 300))
        #expect(decision.verdict.blame == .never && decision.verdict.delay == 600)
    }

    @Test(
        arguments: [
            ("invalid_request_error", .refused(signature: "400 invalid_request_error")),
            ("permission_error", .forbidden),
            ("authentication_error", .unauthorized), ("rate_limit_error", .rateLimited(retryAfter: nil)),
            ("timeout_error", .unavailable), ("api_error", .unavailable),
            ("error_of_the_future", .unavailable),
            (nil, .unavailable),
        ] as [(String?, RouteEvent)])
    func `An error inside a stream means what it says, not what its status says`(
        type: String?, event: RouteEvent
    ) {
        #expect(refuse(200, type).routeEvent == event)
    }

    @Test func `A stream that failed without saying what it used may have been paid`() {
        #expect(refuse(200, "api_error", began: true).unconfirmedCost)
        #expect(!refuse(200, "api_error", usage: Usage(inputTokens: 1), began: true).unconfirmedCost)
    }

    @Test(arguments: ["overloaded_error", "api_error", "timeout_error", "rate_limit_error", nil])
    func `An error before any answer began was not paid, as one with a status of its own is not`(
        type: String?
    ) {
        #expect(!refuse(200, type).unconfirmedCost)
    }

    @Test(
        arguments: [
            (.unreachable, "connection_error"), (.reset, "connection_reset"), (.timeout, "timeout_error"),
            (.truncated, "truncated_answer"), (.malformed, "malformed_answer"),
        ] as [(Breakage.Kind, String)])
    func `A broken call is tried again, and may have been paid where it was sent`(
        kind: Breakage.Kind, type: String
    ) {
        for sent in [true, false] {
            let decision = decide(.broken(Breakage(kind: kind, message: "m", maySent: sent)))
            #expect(decision.routeEvent == .unavailable && decision.unconfirmedCost == sent)
            #expect(decision.verdict.blame == .ifOthersSucceeded)
            #expect(decision.verdict.error == JobError(type: type, message: "m", retryable: true))
        }
        let known = Breakage(kind: kind, message: "m", maySent: true, usage: Usage(outputTokens: 1))
        #expect(!decide(.broken(known)).unconfirmedCost)
    }

    @Test(arguments: [Breakage.Kind.reset, .timeout, .truncated])
    func `An answer that had begun and was cut counts`(kind: Breakage.Kind) {
        let begun = Breakage(kind: kind, message: "m", maySent: true, usage: Usage(outputTokens: 1))
        let decision = decide(.broken(begun))
        #expect(decision.verdict.blame == .counted && decision.routeEvent == .unavailable)
        #expect(refuse(200, "api_error", usage: Usage(inputTokens: 1)).verdict.blame == .counted)
        #expect(refuse(500, "api_error").verdict.blame == .ifOthersSucceeded)
    }

    @Test func `An answer that is too large counts against its job alone`() {
        let decision = decide(.broken(Breakage(kind: .tooLarge, message: "m", maySent: true)))
        #expect(
            decision.verdict.blame == .counted && decision.routeEvent == .neutral && decision.unconfirmedCost)
    }

    @Test func `A call that cannot be written fails`() {
        let decision = decide(.broken(Breakage(kind: .unsendable, message: "m", maySent: false)))
        #expect(
            decision.verdict.fails && decision.verdict.error?.retryable == false && !decision.unconfirmedCost)
    }

    @Test(arguments: [true, false])
    func `A call given up is handed back, or failed at its deadline`(sent: Bool) {
        #expect(
            decide(.abandoned(sent: sent))
                == Decision(verdict: .handedBack(sent: sent), routeEvent: .neutral, unconfirmedCost: sent))
        #expect(
            decide(.abandoned(sent: sent), deadlinePassed: true)
                == Decision(verdict: .failed(.deadlineExceeded), routeEvent: .neutral, unconfirmedCost: sent))
    }
}

extension Verdict {
    fileprivate var waits: Bool {
        guard case .wait = self else { return false }
        return true
    }

    fileprivate var fails: Bool {
        guard case .failed = self else { return false }
        return true
    }

    fileprivate var error: JobError? {
        switch self {
        case .again(_, let error, _), .wait(let error), .failed(let error): error
        case .rejected(let failure): failure.error
        case .succeeded, .handedBack: nil
        }
    }

    fileprivate var delay: Milliseconds? {
        guard case .again(let delay, _, _) = self else { return nil }
        return delay
    }

    fileprivate var blame: Blame? {
        guard case .again(_, _, let blame) = self else { return nil }
        return blame
    }
}
