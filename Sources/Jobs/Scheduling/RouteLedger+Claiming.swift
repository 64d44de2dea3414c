// What a claim asks of a route, and takes; and what people change of its limits.
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
        /// Not yet; `after` is when to ask again, nil if only an answer in flight can change it.
        case refused(WaitingFor.Reason, String, after: Milliseconds?)
    }

    /// Where a call is in its meters once it was let through; kept with the attempt.
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

    /// The state of a call's queue.
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

    /// What the operator says of the route.
    package var pause: Admission? { isPaused ? .refused(.pause, "the route is paused", after: nil) : nil }

    /// Asks every gate of the route, and the run of refusals of the call's queue; changes nothing.
    package func admission(of need: Need, in queue: Queue = Queue(), now: Moment) -> Admission {
        if let pause { return pause }
        var probe = false
        switch gate.passage(at: now) {
        case .closed(let wait): return .refused(gate.waitReason, gate.explanation, after: wait)
        case .oneProbe: probe = true
        case .open(let limit?) where running >= limit:
            return .refused(gate.waitReason, "starting again slowly", after: 500)
        case .open: break
        }
        if let concurrency, running >= concurrency {
            return .refused(
                .concurrency, "\(running) of \(concurrency) calls of the route are in flight", after: nil)
        }
        if succeeded == 0, running >= Self.autoPauseThreshold {
            return .refused(.concurrency, "the first answers are awaited", after: nil)
        }
        if queue.refusedInARow > 0, queue.running >= Self.autoPauseThreshold - queue.refusedInARow {
            return .refused(.concurrency, "after refusals, answers are awaited", after: nil)
        }
        if lines.isEmpty, running >= window.calls(at: now) {
            let explanation =
                isLearned
                ? Self.learning
                : "limits are learned from the first answer"
            return .refused(.rateLimit, explanation, after: window.wait(at: now))
        }
        for meter in Meter.allCases {
            guard let line = lines[meter], !line.bucket.allows(need[meter]) else { continue }
            return .refused(.rateLimit, meter.description, after: max(1, line.bucket.wait(for: need[meter])))
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
            // The provider's own limit is learned again from its next answer.
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

    /// A person says that the route is well: the gate opens, debts are forgotten, and what answers reported of limits
    /// is learned again.
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

    func newBucket(perMinute limit: Int, _ now: Moment) -> TokenBucket {
        TokenBucket(perMinute: limit, at: now, window: burst)
    }

    /// Whether a meter was last written before this epoch: it refills only once it is written again.
    package func isOfAnotherBoot(at now: Moment) -> Bool {
        lines.values.contains { $0.bucket.at.epoch != now.epoch }
    }

    /// Refills every meter up to now.
    package mutating func advance(to now: Moment) {
        for meter in Meter.allCases { lines[meter]?.bucket.advance(to: now) }
    }
}
