/// All that a claim and a settlement need to know of a route: its gate, its limits, and what was learned of it.
///
/// Pure: a store loads it, asks it, and writes it back in the same transaction.
package struct RouteLedger: Sendable {
    /// What is limited per minute.
    package enum Meter: String, Sendable, CaseIterable {
        case requests
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"

        package var words: String {
            switch self {
            case .requests: "requests per minute"
            case .inputTokens: "input tokens per minute"
            case .outputTokens: "output tokens per minute"
            }
        }

        /// The provider rounds token headers to the nearest thousand.
        var rounding: Double { self == .requests ? 0 : 500 }
        /// The most that one call takes of it.
        package var largest: Double { self == .requests ? 1 : Need.largest }
    }

    /// One limit.
    package struct Line: Sendable {
        /// The operator's own limit, where one was set; the provider's may lower it.
        package var stated: Int?
        package var bucket: TokenBucket
        /// All that was ever reserved; it only grows.
        package var reserved: Double

        package init(stated: Int?, bucket: TokenBucket, reserved: Double) {
            self.stated = stated
            self.bucket = bucket
            self.reserved = reserved.isFinite ? reserved : 0
        }
    }

    package var gate: RouteGate
    package var isPaused: Bool
    /// Attempts open on the route.
    package var running: Int
    /// Calls that succeeded, ever.
    package var succeeded: Int
    /// Whether an answer has told what the limits are, or that there are none.
    package var isLearned: Bool
    /// What its answers were like.
    package var profile: RouteProfile
    package var lines: [Meter: Line]
    /// Counts only while no limit is known.
    package var window = ConcurrencyWindow()
    /// Reserved by attempts that are open, of input and of output.
    package var openInput: Double = 0
    package var openOutput: Double = 0
    /// Over how long the provider allows to save up what was not used; a minute, or less where it enforces more strictly.
    package var burst: Milliseconds = TokenBucket.minute
    /// Whether `max_tokens` is what a call reserves of the output limit, instead of what answers are like.
    package var reservesMaxTokens = false
    /// Whether input that is read from the provider's cache counts against the input limit.
    package var countsCacheReads = false
    /// The operator's cap on calls in flight, over all workers.
    package var concurrency: Int?

    /// How many calls fly on a route that has never answered, and after how many identical refusals jobs are asked one at a
    /// time.
    package static let fuse = 20

    static let learning = "the provider names no limits: calls in flight grow with its answers"

    package init(
        gate: RouteGate, isPaused: Bool, running: Int, succeeded: Int, isLearned: Bool,
        profile: RouteProfile, lines: [Meter: Line]
    ) {
        self.gate = gate
        self.isPaused = isPaused
        self.running = running
        self.succeeded = succeeded
        self.isLearned = isLearned
        self.profile = profile
        self.lines = lines
    }
}

// MARK: - Claiming

extension RouteLedger {
    /// What one call takes of each meter.
    package struct Need: Hashable, Sendable {
        package var input: Double
        package var output: Double

        /// No model takes or writes more in one call.
        package static let largest = 4_194_304.0

        package init(input: Double, output: Double) {
            self.input = Self.bounded(input)
            self.output = Self.bounded(output)
        }

        private static func bounded(_ tokens: Double) -> Double {
            tokens.isFinite ? max(0, min(tokens, largest)) : 0
        }

        package subscript(_ meter: Meter) -> Double {
            switch meter {
            case .requests: 1
            case .inputTokens: input
            case .outputTokens: output
            }
        }
    }

    /// Whether a call may go now.
    package enum Admission: Hashable, Sendable {
        case admitted(asProbe: Bool)
        /// Not yet; `after` is when to ask again, nil where only an answer in flight can change it.
        case refused(WaitingFor.Reason, String, after: Milliseconds?)
    }

    /// Where a call stands in its meters once it was let through; kept with the attempt.
    package struct Marks: Hashable, Sendable {
        package var requests: Double
        package var input: Double
        package var output: Double
        package var succeeded: Int

        package init(requests: Double, input: Double, output: Double, succeeded: Int) {
            self.requests = requests
            self.input = input
            self.output = output
            self.succeeded = succeeded
        }

        subscript(_ meter: Meter) -> Double {
            switch meter {
            case .requests: requests
            case .inputTokens: input
            case .outputTokens: output
            }
        }
    }

    /// What a request is expected to use.
    package func need(requestBytes: Int, maxTokens: Int) -> Need {
        let output = reservesMaxTokens ? Double(maxTokens) : profile.expectedOutput(atMost: maxTokens)
        return Need(
            input: (Double(requestBytes) * profile.inputPerByte).rounded(.up), output: output.rounded(.up))
    }

    /// How a call's queue stands.
    package struct Queue: Hashable, Sendable {
        /// Attempts open in the queue.
        package var running: Int
        /// Identical refusals that the queue has met without a success between.
        package var refusedInARow: Int

        package init(running: Int = 0, refusedInARow: Int = 0) {
            self.running = running
            self.refusedInARow = refusedInARow
        }
    }

    /// Asks every gate of the route, and the fuse of the call's queue; changes nothing.
    package func admission(of need: Need, in queue: Queue = Queue(), now: Moment) -> Admission {
        if isPaused { return .refused(.pause, "the route is paused", after: nil) }
        var probe = false
        switch gate.passage(at: now) {
        case .closed(let wait): return .refused(gate.waitReason, gate.words, after: wait)
        case .oneProbe: probe = true
        case .open(let limit?) where running >= limit:
            return .refused(gate.waitReason, "starting again slowly", after: 500)
        case .open: break
        }
        if let concurrency, running >= concurrency {
            return .refused(
                .concurrency, "\(running) of \(concurrency) calls of the route are in flight", after: nil)
        }
        if succeeded == 0, running >= Self.fuse {
            return .refused(.concurrency, "the first answers are awaited", after: nil)
        }
        if queue.refusedInARow > 0, queue.running >= Self.fuse - queue.refusedInARow {
            return .refused(.concurrency, "after refusals, answers are awaited", after: nil)
        }
        if lines.isEmpty, running >= window.calls(at: now) {
            let words =
                isLearned
                ? Self.learning
                : "limits are learned from the first answer"
            return .refused(.rateLimit, words, after: window.wait(at: now))
        }
        for meter in Meter.allCases {
            guard let line = lines[meter], !line.bucket.allows(need[meter]) else { continue }
            return .refused(.rateLimit, meter.words, after: max(1, line.bucket.wait(for: need[meter])))
        }
        return .admitted(asProbe: probe)
    }

    /// Takes what the call needs of every meter.
    package mutating func open(_ need: Need, asProbe: Bool, now: Moment) -> Marks {
        if asProbe { gate.probeSent(at: now) }
        running += 1
        openInput += need.input
        openOutput += need.output
        for meter in Meter.allCases {
            lines[meter]?.bucket.take(need[meter])
            lines[meter]?.reserved += need[meter]
        }
        return Marks(
            requests: lines[.requests]?.reserved ?? 0, input: lines[.inputTokens]?.reserved ?? 0,
            output: lines[.outputTokens]?.reserved ?? 0, succeeded: succeeded)
    }

    /// Takes over how the provider enforces its limits.
    package mutating func enforce(burst: Milliseconds?, reservesMaxTokens: Bool) {
        self.burst = burst ?? TokenBucket.minute
        self.reservesMaxTokens = reservesMaxTokens
        for meter in Meter.allCases { lines[meter]?.bucket.narrow(to: self.burst) }
    }

    /// Sets or takes away the operator's own limit of a meter; what was used stays used.
    package mutating func state(_ meter: Meter, _ limit: Int?, now: Moment) {
        guard let limit else {
            guard lines[meter]?.stated != nil else { return }
            // The provider's own limit is learned anew from its next answer.
            lines[meter] = nil
            if lines.isEmpty { isLearned = false }
            return
        }
        guard var line = lines[meter] else {
            lines[meter] = Line(stated: limit, bucket: newBucket(perMinute: limit, now), reserved: 0)
            return
        }
        line.stated = limit
        if line.bucket.perMinute != limit { line.bucket.restate(perMinute: limit) }
        lines[meter] = line
    }

    /// A person says that the route is well: the gate opens, debts are forgotten, and what answers told of limits is learned
    /// anew.
    package mutating func resume(now: Moment) {
        gate = RouteGate()
        window = ConcurrencyWindow()
        isLearned = false
        for meter in Meter.allCases {
            guard let line = lines[meter], let stated = line.stated else {
                lines[meter] = nil
                continue
            }
            var bucket = newBucket(perMinute: stated, now)
            bucket.take(min(open(meter), bucket.capacity))
            lines[meter]?.bucket = bucket
        }
    }

    private func newBucket(perMinute limit: Int, _ now: Moment) -> TokenBucket {
        TokenBucket(perMinute: limit, at: now, window: burst)
    }

    /// Whether a meter was last written before this boot: it refills only once it is written anew.
    package func isOfAnotherBoot(at now: Moment) -> Bool {
        lines.values.contains { $0.bucket.at.boot != now.boot }
    }

    /// Refills every meter up to now.
    package mutating func advance(to now: Moment) {
        for meter in Meter.allCases { lines[meter]?.bucket.advance(to: now) }
    }
}

// MARK: - Settling

extension RouteLedger {
    /// What a call turned out to have used.
    package enum Used: Hashable, Sendable {
        /// The provider never got it: all goes back.
        case nothing
        /// It was refused: the request is spent, its tokens are not.
        case requestOnly
        case tokens(Usage)
        /// Nobody knows: what was reserved stays spent.
        case unknown
    }

    /// Closes a call: its share of the meters, what the headers said, and what it tells of the route.
    package mutating func close(
        _ need: Need, marks: Marks, requestBytes: Int, used: Used, event: RouteEvent, limits: LimitReport?,
        claimedAt: Moment, callMilliseconds: Milliseconds = 0, now: Now,
        using random: inout some RandomNumberGenerator
    ) {
        resize(event, claimedAt: claimedAt, now: now.moment)
        advance(to: now.moment)
        land(need, used: used)
        if case .tokens(let usage) = used {
            profile.learn(
                input: limitedInput(usage), output: Double(usage.outputTokens), requestBytes: requestBytes,
                callMilliseconds: callMilliseconds)
        }
        if let limits {
            restate(limits, Sent(need: need, marks: marks, claimedAt: claimedAt), now: now.moment)
        }
        if event == .succeeded {
            succeeded += 1
            isLearned = true
        }
        gate.apply(event, claimedAt: claimedAt, now: now, using: &random)
    }

    /// Closes a call that nobody will answer for: what it reserved stays spent.
    package mutating func writeOff(_ need: Need, now: Moment) {
        advance(to: now)
        land(need, used: .unknown)
    }

    private mutating func land(_ need: Need, used: Used) {
        running = max(0, running - 1)
        openInput = max(0, openInput - need.input)
        openOutput = max(0, openOutput - need.output)
        for meter in Meter.allCases {
            let (spent, open) = (spent(used, of: need, meter), open(meter))
            lines[meter]?.bucket.settle(taken: need[meter], used: spent, open: open)
        }
    }

    /// What a call took of a meter in the end.
    private func spent(_ used: Used, of need: Need, _ meter: Meter) -> Double {
        switch used {
        case .nothing: 0
        case .requestOnly: meter == .requests ? 1 : 0
        case .unknown: need[meter]
        case .tokens(let usage):
            switch meter {
            case .requests: 1
            case .inputTokens: limitedInput(usage)
            case .outputTokens: Double(usage.outputTokens)
            }
        }
    }

    /// What counts against the input limit.
    private func limitedInput(_ usage: Usage) -> Double {
        Double(usage.limitedInputTokens) + (countsCacheReads ? Double(usage.cacheReadTokens) : 0)
    }

    /// Without any known limit the calls in flight are what is adjusted.
    private mutating func resize(_ event: RouteEvent, claimedAt: Moment, now: Moment) {
        guard lines.isEmpty else { return }
        switch event {
        case .succeeded where !isLearned: window = ConcurrencyWindow(size: ConcurrencyWindow.opened)
        case .succeeded: window.grow(running: running, now: now)
        case .rateLimited, .overloaded: window.cut(claimedAt: claimedAt, now: now)
        default: break
        }
    }

    /// A call that said what the limits are.
    private struct Sent {
        var need: Need
        var marks: Marks
        var claimedAt: Moment
        /// Whether it still flies.
        var isOpen = false
    }

    /// Takes in what the beginning of an answer tells that is not known yet: limits, and that a probe is answered.
    package mutating func hear(
        _ beginning: AnswerBeginning, need: Need, marks: Marks, claimedAt: Moment, now: Moment
    ) {
        advance(to: now)
        if beginning.isAnswering { gate.begin(claimedAt: claimedAt, now: now) }
        guard !isLearned else { return }
        if let limits = beginning.limits {
            restate(limits, Sent(need: need, marks: marks, claimedAt: claimedAt, isOpen: true), now: now)
        } else if beginning.isAnswering {
            resize(.succeeded, claimedAt: claimedAt, now: now)
            isLearned = true
        }
    }

    private mutating func restate(_ limits: LimitReport, _ sent: Sent, now: Moment) {
        isLearned = true
        restate(.requests, limits.requests, sent, now: now)
        restate(.inputTokens, limits.inputTokens, sent, now: now)
        restate(.outputTokens, limits.outputTokens, sent, now: now)
    }

    private mutating func restate(
        _ meter: Meter, _ window: LimitReport.Window?, _ sent: Sent, now: Moment
    ) {
        guard let window, window.limit > 0 else { return }
        let taken = sent.need[meter]
        guard var line = lines[meter] else {
            var bucket = newBucket(perMinute: window.limit, now)
            if let remaining = window.remaining {
                // The provider has counted the request that it answers; its tokens it may still count.
                let counted = sent.isOpen && meter == .requests ? 1.0 : 0
                bucket.correct(
                    remaining: Double(remaining), reservedSince: max(0, open(meter) - counted), taken: taken,
                    open: open(meter))
            }
            lines[meter] = Line(stated: nil, bucket: bucket, reserved: 0)
            return
        }
        let limit = min(line.stated ?? .max, window.limit)
        if limit != line.bucket.perMinute { line.bucket.restate(perMinute: limit) }
        if let remaining = window.remaining {
            let told = Double(remaining) + meter.rounding
            // Our own books are exact where nobody else uses the limit. What a header says is older than its answer,
            // and calls claimed together arrive in any order: taken at its word, each answer would lower the level by
            // what was in flight. So it counts only where it contradicts the books, because others use the limit too.
            if line.bucket.level > line.bucket.most(of: told, since: sent.claimedAt) {
                line.bucket.correct(
                    remaining: told,
                    reservedSince: uncounted(meter, since: line.reserved - sent.marks[meter]),
                    taken: taken, open: open(meter))
            }
        }
        lines[meter] = line
    }

    private func open(_ meter: Meter) -> Double {
        switch meter {
        case .requests: Double(running)
        case .inputTokens: openInput
        case .outputTokens: openOutput
        }
    }

    /// What was reserved and the provider may not have counted yet when it said what remains.
    ///
    /// Output is counted as it is written: older calls in flight may still have theirs before them.
    private func uncounted(_ meter: Meter, since reserved: Double) -> Double {
        max(meter == .outputTokens ? open(meter) : 0, reserved)
    }
}

extension RouteGate {
    /// What a job that waits for the gate is said to wait for.
    package var waitReason: WaitingFor.Reason {
        switch state {
        case .open, .rateLimited: .rateLimit
        case .broken: .breaker
        case .credential, .forbidden: .pause
        case .spendCap: .providerSpendLimit
        }
    }

    /// Why it is closed, for people.
    package var words: String {
        switch state {
        case .open: "open"
        case .rateLimited:
            "the provider asked to wait (429)"
                + (untilDate.map { " until \($0.text); from time to time one call tries whether it must be" }
                    ?? "")
        case .broken:
            "the provider does not answer or is overloaded; one call at a time tries whether it is back"
        case .credential: "the provider refuses the API key (401); it is tried again every few seconds"
        case .forbidden: "the provider forbids this model to the API key (403)"
        case .spendCap:
            "the provider's spend limit is reached: raise it or add credit in the provider's console; one call at a time tries it again"
                + (untilDate.map { ", and it ends at \($0.text) at the latest" } ?? "")
        }
    }
}
