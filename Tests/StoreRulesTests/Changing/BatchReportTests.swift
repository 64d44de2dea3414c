import Jobs
import StoreRules
import TestSupport
import Testing

@Suite struct BatchReportTests {
    private let key = AttemptKey(job: JobID(100), number: 1)
    private let states: [ProviderBatch.State] = [.sealed, .creating, .away, .recalled]

    private var reports: [ProviderBatchReport] {
        [
            .created("p"), .unsent("e", after: 5), .unknown("e", after: 5), .missing(after: 5),
            .pending(after: 5), .recalled(after: 5), .lookFailed("e", after: 5), .stranger,
            .undeliverable("e"), .unsuitable(key, "e"), .tooLarge("e"), .lost("e"), .ended,
        ]
    }

    private func note(
        _ report: ProviderBatchReport, _ state: ProviderBatch.State, misses: Int = 0, jobs: [Int64] = []
    ) -> Delta {
        var (delta, random) = (Delta(), SeededRandom(seed: 1))
        let batch = OwnedBatch(id: 6, state: state, misses: misses)
        delta.note(report, of: batch, jobs: { jobs }, using: &random)
        return delta
    }

    private func step(_ delta: Delta) -> BatchStep? {
        let steps = delta.changes.compactMap { change in
            if case .providerBatch(6, .enter(let step)) = change { step } else { nil }
        }
        #expect(steps.count == 1)
        return steps.last
    }

    @Test func `each report leads to one state, and none ends a batch by itself`() {
        for state in states {
            for report in reports {
                let step = step(note(report, state))
                let next = step?.state
                #expect(next != .ended && next != .filling)
                switch report {
                case .created: #expect(next == .away && step?.providerID == "p")
                case .unsent, .unsuitable, .tooLarge: #expect(next == .sealed && step?.error == "e")
                case .unknown: #expect(next == .creating && step?.error == "e")
                case .missing, .stranger: #expect(next == .creating && step?.error == nil)
                case .pending: #expect(next == state && step?.error == nil)
                case .recalled: #expect(next == .recalled)
                case .lookFailed: #expect(next == state && step?.error == "e")
                case .undeliverable: #expect(next == .returning)
                case .lost, .ended: #expect(next == .lost)
                }
            }
        }
    }

    @Test func `what the provider's list misses twice is sent again`() {
        #expect(step(note(.missing(after: 5), .creating, misses: 0))?.state == .creating)
        #expect(step(note(.missing(after: 5), .creating, misses: 1))?.state == .sealed)
    }

    @Test func `a batch that is too large becomes two halves, unless it has one request`() {
        for count in 0...9 {
            let jobs = (0..<Int64(count)).map { 10 + $0 }
            let first = note(.tooLarge("e"), .creating, jobs: jobs).changes.compactMap { change in
                if case .providerBatch(_, .split(_, let first)) = change { first } else { nil }
            }
            #expect(first == (count > 1 ? [jobs[count / 2]] : []))
        }
    }

    @Test func `only what is refused for one request's sake names it`() {
        #expect(reports.compactMap(\.refusedRequest) == [key])
    }

    @Test func `an error is cut to a bounded length`() {
        let error = String(repeating: "x", count: 10_000)
        #expect(step(note(.lost(error), .away))?.error?.count == 500)
    }

    @Test func `nothing is sent of a batch that has no request left`() {
        let batch = OwnedBatch(id: 6, state: .sealed, misses: 0)
        var (full, empty) = (Delta(), Delta())
        #expect(batch.mayBeSent)
        let sent = (full.send(batch, requests: 2), empty.send(batch, requests: 0))
        #expect(sent == (true, false))
        #expect(ChangeFixture.names(full) == ["batch send"])
        #expect(step(empty)?.state == .lost)
        #expect(!OwnedBatch(id: 6, state: .creating, misses: 0).mayBeSent)
    }

    @Test func `a batch is made only on a route that takes any, and looked after on the others too`() {
        var terms = HalfPriceTerms()
        #expect(!ChangeFixture.route.canAttend(.away, terms, now: ChangeFixture.now))
        terms.services = [ChangeFixture.service]
        var paused = ChangeFixture.route
        paused.ledger.isPaused = true
        #expect(paused.canAttend(.away, terms, now: ChangeFixture.now))
        #expect(!paused.canAttend(.sealed, terms, now: ChangeFixture.now))
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `whatever is reported, a batch is only where maintenance finds it`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var (state, misses) = (ProviderBatch.State.sealed, 0)
        for _ in 0..<200 {
            guard let report = reports.randomElement(using: &random) else { return }
            let delta = note(report, state, misses: misses, jobs: [1, 2, 3])
            if case .missing = report { misses += 1 }
            if case .stranger = report { misses = 0 }
            guard let next = step(delta)?.state else { return }
            let isLeaving = next == .returning || next == .lost
            #expect(states.contains(next) || isLeaving)
            #expect(!next.mayBeBilled || isLeaving)
            state = isLeaving ? .sealed : next
        }
    }
}
