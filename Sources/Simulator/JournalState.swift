extension Journal {
    /// All that the journal's lock protects.
    struct State {
        typealias Waiter = (count: Int, continuation: CheckedContinuation<Void, Never>)

        /// Prompts counted one by one, some hundreds of megabytes; those that come first later are not.
        private static let maximumPrompts = 4_000_000
        /// Seconds that the series shows.
        private static let seriesLength = 600

        private(set) var epoch = 0
        var stats = SimulatorStats()
        private(set) var prompts: [Digest: SimulatorStats.Prompt] = [:]
        var waiters: [Int: Waiter] = [:]
        private var lastWaiter = 0
        private var limit: Int
        private var sequence = 0
        /// A ring: the entry of sequence n is at (n - 1) modulo `limit`.
        private var ring: [JournalEntry] = []
        private var seconds = [SimulatorStats.Second](repeating: .init(), count: seriesLength)

        init(limit: Int) {
            self.limit = limit
        }

        mutating func reset(limit: Int) {
            let kept = (waiters, lastWaiter, epoch + 1)
            self = State(limit: limit)
            (waiters, lastWaiter, epoch) = kept
        }
    }
}

extension Journal.State {
    mutating func begin(
        _ endpoint: String, digest: Digest, caller: String?, at now: Int64
    ) -> Journal.Ticket {
        append(endpoint, digest: digest, caller: caller, at: now)
        guard endpoint == "messages" || endpoint == "chat/completions" else {
            stats.otherRequests += 1
            return ticket(digest, repetition: 1, .other)
        }
        stats.calls += 1
        stats.inFlight += 1
        stats.maxConcurrent = max(stats.maxConcurrent, stats.inFlight)
        inSecond(of: now) { $0.calls += 1 }
        return ticket(digest, repetition: count(digest), .message)
    }

    mutating func begin(_ row: BatchRowName, digest: Digest, wasRun: Bool, at now: Int64) -> Journal.Ticket {
        append("batches.row", digest: digest, caller: nil, row: row, at: now)
        return ticket(digest, repetition: wasRun ? count(digest) : 1, .row)
    }

    private mutating func append(
        _ endpoint: String, digest: Digest, caller: String?, row: BatchRowName? = nil, at now: Int64
    ) {
        sequence += 1
        var entry = JournalEntry(
            sequence: sequence, arrivedAt: now, endpoint: endpoint, digest: digest, caller: caller)
        entry.row = row
        if ring.count < limit { ring.append(entry) } else { ring[(sequence - 1) % limit] = entry }
    }

    private func ticket(_ digest: Digest, repetition: Int, _ subject: Journal.Subject) -> Journal.Ticket {
        Journal.Ticket(
            sequence: sequence, number: stats.calls, repetition: repetition, epoch: epoch, digest: digest,
            subject: subject)
    }

    /// Counts a call with this body, and tells the how many-th it is.
    private mutating func count(_ digest: Digest) -> Int {
        guard prompts.count < Self.maximumPrompts || prompts[digest] != nil else { return 1 }
        prompts[digest, default: .init()].calls += 1
        let calls = prompts[digest]?.calls ?? 1
        stats.maxCallsPerPrompt = max(stats.maxCallsPerPrompt, calls)
        return calls
    }

    mutating func end(_ ticket: Journal.Ticket, _ end: CallEnd, at now: Int64) {
        guard ticket.epoch == epoch else { return }
        change(ticket) { entry in
            entry.status = end.status
            entry.fault = end.fault
            entry.model = end.model
            entry.usage = end.usage
            entry.costNanodollars = end.cost
            entry.isBilled = end.isBilled
            entry.finishedAt = now
            entry.result = end.result
        }
        switch ticket.subject {
        case .message:
            stats.byStatus[end.status ?? 0, default: 0] += 1
            if let fault = end.fault { stats.byFault[fault, default: 0] += 1 }
            guard end.isBilled else { return }
            bill(ticket.digest, end)
            inSecond(of: now) { second in
                second.billed += 1
                second.inputTokens += end.usage.limitedInput
                second.outputTokens += end.usage.output
            }
        case .row:
            stats.batches.end(end)
            if end.isBilled { bill(ticket.digest, end) }
        case .other: break
        }
    }

    private mutating func bill(_ digest: Digest, _ end: CallEnd) {
        stats.billedCalls += 1
        stats.costNanodollars += end.cost
        stats.usage.add(end.usage)
        guard var prompt = prompts[digest] else { return }
        prompt.billed += 1
        prompts[digest] = prompt
        if prompt.billed > 1 { stats.billedDuplicates += 1 }
        stats.maxBilledCallsPerPrompt = max(stats.maxBilledCallsPerPrompt, prompt.billed)
    }

    mutating func change(_ ticket: Journal.Ticket, _ body: (inout JournalEntry) -> Void) {
        let slot = (ticket.sequence - 1) % limit
        guard ticket.epoch == epoch, ring[slot].sequence == ticket.sequence else { return }
        body(&ring[slot])
    }

    private mutating func inSecond(of now: Int64, _ body: (inout SimulatorStats.Second) -> Void) {
        let second = now / 1000
        let slot = Int(second % Int64(seconds.count))
        if seconds[slot].second != second { seconds[slot] = .init(second: second) }
        body(&seconds[slot])
    }

    func summary() -> SimulatorStats {
        var summary = stats
        summary.distinctPrompts = prompts.count
        summary.series = seconds.filter { $0.second > 0 }.sorted { $0.second < $1.second }
        return summary
    }

    func entries(after last: Int, limit count: Int) -> [JournalEntry] {
        let kept = sequence - ring.count
        let before = min(max(last, kept), sequence)
        return (before..<sequence).prefix(max(1, count)).map { ring[$0 % limit] }
    }

    mutating func nextWaiter() -> Int {
        lastWaiter += 1
        return lastWaiter
    }

    /// False when there is nothing to wait for.
    mutating func wait(_ id: Int, for count: Int, _ continuation: CheckedContinuation<Void, Never>) -> Bool {
        guard stats.calls < count else { return false }
        waiters[id] = (count, continuation)
        return true
    }

    mutating func satisfied() -> [CheckedContinuation<Void, Never>] {
        guard !waiters.isEmpty else { return [] }
        let due = waiters.filter { $0.value.count <= stats.calls }
        for id in due.keys { waiters[id] = nil }
        return due.values.map(\.continuation)
    }
}
