// What an answer, or its absence, says of a route.
extension RouteLedger {
    /// What a call turned out to have used.
    package enum Used: Hashable, Sendable {
        /// The provider never got it: all goes back.
        case nothing
        /// It was refused: the request is spent, its tokens are not.
        case requestOnly
        case tokens(Usage)
        /// Unknown: what was reserved stays spent.
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

    /// Closes a call whose outcome will never be known: what it reserved stays spent.
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
    package mutating func noteBeginning(
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
            // Our own books are exact if no other client uses the limit. What a header says is older than its answer,
            // and calls claimed together arrive in any order: taken at its word, each answer would lower the level by
            // what was in flight. So it counts only if it contradicts the books, because other clients use the limit too.
            if line.bucket.level > line.bucket.most(of: told, since: sent.claimedAt) {
                line.bucket.correct(
                    remaining: told,
                    reservedSince: uncounted(meter, since: line.reserved - sent.marks[meter]),
                    taken: taken, open: open(meter))
            }
        }
        lines[meter] = line
    }

    func open(_ meter: Meter) -> Double {
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
