import HTTPServer

/// One valid call: refused by a limit, broken by a fault, or answered.
struct Exchange: Sendable {
    let simulator: Simulator
    let plan: Plan
    let visit: Visit
    let call: MessagesCall
    let marker: Marker?
    let fault: Fault?
    let accounting: PromptCache.Accounting
    var random: SeededRandom
    var admission: RateLimiter.Admission?
    var refusal: RateLimiter.Refusal?

    /// Waits as long as the call takes, records how it ended, and gives what is to be sent.
    mutating func respond() async -> Response {
        if let refusal { return refuse(limit(refusal), fault: "rate-limit") }
        if let fault, !fault.isAnswered(isStream: call.isStream) { return await fail(fault) }
        let answer = write()
        return await deliver(answer)
    }

    private func write() -> MessageJSON {
        var usage = accounting.usage
        usage.isBatch = marker?.isBatch == true
        return MessageJSON(
            answering: call, marker, fault: fault?.kind, usage: usage, digest: visit.digest,
            repetition: visit.ticket.repetition, plan.settings)
    }

    /// The whole wait of a plain call; a stream waits for its first token here and for the others as it goes.
    private mutating func deliver(_ message: MessageJSON) async -> Response {
        var wait = marker?.latency ?? plan.settings.latency.firstToken(&random)
        if !call.isStream { wait += plan.settings.latency.writing(message.usage.output) }
        let isHeard = await sleep(wait)
        finish(message, isAbandoned: !isHeard)
        let delivery = Delivery(
            message: message, dialect: visit.dialect, fault: fault?.kind, headers: headers(),
            latency: plan.settings.latency,
            stall: plan.settings.stall, ping: plan.settings.ping, clock: simulator.clock)
        guard call.isStream else { return delivery.plain() }
        return delivery.stream { [visit, simulator] in
            simulator.journal.abandon(visit.ticket)
            withExtendedLifetime(visit.flight) {}
        }
    }

    /// False when the caller hung up meanwhile.
    func sleep(_ milliseconds: Int64) async -> Bool {
        guard milliseconds > 0 else { return true }
        do { try await simulator.clock.sleep(milliseconds) } catch { return false }
        return true
    }

    /// The money is spent whether or not anyone still listens: the model did its work.
    private func finish(_ message: MessageJSON, isAbandoned: Bool) {
        let now = simulator.clock.uptime()
        simulator.cache.begin(accounting, at: now)
        simulator.threads.keep(call, message)
        if let admission {
            plan.limiter.settle(
                admission, input: message.usage.limitedInput, output: message.usage.output, at: now)
        }
        let end = CallEnd(
            answering: message, status: fault?.kind == .dropAfter || isAbandoned ? nil : 200,
            fault: isAbandoned ? "abandoned" : fault?.name)
        simulator.journal.end(visit.ticket, end, at: simulator.clock.timestamp())
    }
}
