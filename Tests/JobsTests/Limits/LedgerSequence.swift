import Jobs
import TestSupport

/// A route's ledger in the hands of a provider that says anything, workers that die, and clocks that jump.
///
/// Each sequence ends by an honest answer, after which the route must go on as if nothing had been.
struct LedgerSequence {
    struct Flight {
        var need: RouteLedger.Need
        var marks: RouteLedger.Marks
        var claimedAt: Moment
        var bytes: Int
    }

    private(set) var ledger: RouteLedger
    private var flights: [Flight] = []
    private var now = Now(
        timestamp: Timestamp(milliseconds: 1_790_000_000_000), moment: Moment(epoch: 1, milliseconds: 100_000)
    )
    private var random: SeededRandom

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        ledger = RouteLedger(
            gate: RouteGate(), isPaused: false, running: 0, succeeded: 0, isLearned: false,
            profile: RouteProfile(), lines: [:])
    }

    /// What is wrong after one more sequence; nil where nothing is.
    mutating func run() -> String? {
        if roll(40) { self = LedgerSequence(seed: random.next()) }
        if roll(10) { state() }
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            step()
            if let wrong = debt { return wrong }
        }
        land()
        return debt ?? recovery
    }

    private mutating func roll(_ sides: Int) -> Bool { Int.random(in: 0..<sides, using: &random) == 0 }

    // MARK: What happens

    private mutating func step() {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: restart()
        case 1: turnClock()
        case 2: reboot()
        case 3 where !flights.isEmpty: ledger.writeOff(flights.removeLast().need, now: now.moment)
        case 4, 5, 6: answer { $0.lie() }
        case 7: hear()
        default:
            claim(Int.random(in: 50...4000, using: &random), tokens: Int.random(in: 1...1024, using: &random))
        }
    }

    /// The operator's own limits come and go.
    private mutating func state() {
        for meter in RouteLedger.Meter.allCases {
            ledger.state(
                meter, roll(2) ? nil : [2, 50, 60_000, .max].randomElement(using: &random), now: now.moment)
        }
        if roll(3) { ledger.resume(now: now.moment) }
        ledger.enforce(burst: roll(2) ? nil : 1000, reservesMaxTokens: roll(2))
    }

    @discardableResult
    private mutating func claim(_ bytes: Int, tokens: Int) -> RouteLedger.Admission {
        ledger.advance(to: now.moment)
        let need = ledger.need(requestBytes: bytes, maxTokens: tokens)
        let admission = ledger.admission(of: need, now: now.moment)
        guard case .admitted(let asProbe) = admission else { return admission }
        let marks = ledger.open(need, asProbe: asProbe, now: now.moment)
        flights.append(Flight(need: need, marks: marks, claimedAt: now.moment, bytes: bytes))
        return admission
    }

    private struct Word {
        var used: RouteLedger.Used
        var event: RouteEvent
        var limits: LimitReport?
    }

    private mutating func answer(_ say: (inout Self) -> Word) {
        guard let index = flights.indices.randomElement(using: &random) else { return }
        let flight = flights.remove(at: index)
        let word = say(&self)
        ledger.close(
            flight.need, marks: flight.marks, requestBytes: flight.bytes, used: word.used, event: word.event,
            limits: word.limits, claimedAt: flight.claimedAt, callMilliseconds: number, now: now,
            using: &random)
    }

    private mutating func hear() {
        guard let flight = flights.randomElement(using: &random) else { return }
        let beginning = AnswerBeginning(
            key: AttemptKey(job: JobID(1), number: 1), limits: roll(2) ? nil : limits, isAnswering: roll(2))
        ledger.noteBeginning(
            beginning, need: flight.need, marks: flight.marks, claimedAt: flight.claimedAt, now: now.moment)
    }

    private mutating func restart() {
        var lines = ledger.lines
        for (meter, line) in lines.all {
            let bucket = line.bucket
            lines[meter]?.bucket = TokenBucket(
                perMinute: bucket.perMinute, level: bucket.level, at: bucket.at, window: bucket.window,
                largest: meter.largest)
        }
        ledger.lines = lines
        let gate = ledger.gate
        ledger.gate = RouteGate(
            state: gate.state, until: gate.until, untilDate: gate.untilDate, closedAt: gate.closedAt,
            failures: gate.failures, trips: gate.trips, rampFrom: gate.rampFrom)
    }

    private mutating func turnClock() {
        // Processes read the clock one after the other, and some of them write late.
        let step = roll(4) ? -20 : Milliseconds.random(in: 0...(roll(5) ? 7_200_000 : 2_000), using: &random)
        now.moment = now.moment + step
        now.timestamp =
            now.timestamp + (roll(9) ? .random(in: -Self.season...Self.season, using: &random) : step)
    }

    private mutating func reboot() {
        now.moment = Moment(
            epoch: now.moment.epoch + 1, milliseconds: .random(in: 1...10_000, using: &random))
        for flight in flights { ledger.writeOff(flight.need, now: now.moment) }
        flights = []
    }

    /// All that flies comes down, this way or that.
    private mutating func land() {
        while let flight = flights.last {
            if roll(2) {
                answer { $0.lie() }
            } else {
                ledger.writeOff(flight.need, now: now.moment)
                flights.removeLast()
            }
        }
    }

    // MARK: What a provider says

    private static let season: Milliseconds = 90 * 86_400_000
    private static let numbers: [Int] = [
        0, 1, 2, 999, 60_000, 2_147_483_647, 1_000_000_000_000_000_000, .max, .min, -1,
    ]

    private var number: Milliseconds {
        mutating get { Milliseconds(Self.numbers.randomElement(using: &random) ?? 0) }
    }

    private mutating func window() -> LimitReport.Window? {
        guard !roll(3) else { return nil }
        return LimitReport.Window(limit: Int(number), remaining: roll(3) ? nil : Int(number))
    }

    private var limits: LimitReport? {
        mutating get {
            guard !roll(3) else { return nil }
            return LimitReport(requests: window(), inputTokens: window(), outputTokens: window())
        }
    }

    private var retryAfter: Milliseconds? {
        mutating get { roll(3) ? nil : RetryAfter(delay: number).delay }
    }

    private var used: RouteLedger.Used {
        mutating get {
            switch Int.random(in: 0..<5, using: &random) {
            case 0: return .nothing
            case 1: return .requestOnly
            case 2: return .unknown
            default:
                return .tokens(
                    Usage(
                        inputTokens: max(0, number / 4), outputTokens: max(0, number),
                        cacheWriteTokens: max(0, number / 4)))
            }
        }
    }

    private mutating func lie() -> Word {
        let event: RouteEvent =
            switch Int.random(in: 0..<9, using: &random) {
            case 0, 1: .rateLimited(retryAfter: retryAfter)
            case 2: .overloaded(retryAfter: retryAfter)
            case 3: .unavailable
            case 4: .unauthorized
            case 5: .forbidden
            case 6: .spendCapped(until: roll(2) ? nil : now.timestamp + Self.season, suspected: roll(2))
            case 7: .neutral
            default: .succeeded
            }
        return Word(used: used, event: event, limits: limits)
    }

    private static let honest = LimitReport(
        requests: .init(limit: 1000, remaining: 990), inputTokens: .init(limit: 50_000, remaining: 49_000),
        outputTokens: .init(limit: 10_000, remaining: 9_000))

    // MARK: What must be true

    /// No debt is larger than a full bucket, or than what calls in flight took.
    private var debt: String? {
        for (meter, line) in ledger.lines.all {
            let (level, capacity) = (line.bucket.level, line.bucket.capacity)
            let open = flights.reduce(0) { $0 + $1.need[meter] }
            guard level.isFinite, level <= capacity, level >= -max(capacity, open) - 0.001 else {
                return "\(meter.rawValue): level \(level), capacity \(capacity), in flight \(open)"
            }
        }
        return nil
    }

    private static let bytes = 400
    private static let tokens = 64

    /// However it was lied to, the route lets a call through within minutes; after its honest answer, within one.
    private var recovery: String? {
        mutating get {
            if let wrong = wait(atMost: 450_000) { return "before an honest answer: " + wrong }
            now.moment = now.moment + Milliseconds.random(in: 1...3_000, using: &random)
            answer { _ in
                Word(
                    used: .tokens(Usage(inputTokens: 100, outputTokens: 10)), event: .succeeded,
                    limits: Self.honest)
            }
            // A call in flight that takes more than a tiny limit's minute holds the next by so much, some milliseconds.
            if let wrong = wait(atMost: 60_100) { return "after an honest answer: " + wrong }
            let last = flights.removeLast()
            ledger.writeOff(last.need, now: now.moment)
            return nil
        }
    }

    /// Waits until a call is let through; says what held it back if that takes too long.
    private mutating func wait(atMost limit: Milliseconds) -> String? {
        var waited: Milliseconds = 0
        var trail: [String] = []
        while trail.count < 400, waited <= limit {
            guard case .refused(let gate, let words, let after) = claim(Self.bytes, tokens: Self.tokens)
            else {
                return nil
            }
            trail.append("\(gate), \(words), for \(after.map { "\($0) ms" } ?? "ever")")
            guard let after else { break }
            waited += max(1, min(after, .max / 2))
            now.moment = now.moment + max(1, after)
            now.timestamp = now.timestamp + max(1, after)
        }
        return "\(trail.suffix(8)), \(ledger.gate), \(ledger.lines)"
    }
}
