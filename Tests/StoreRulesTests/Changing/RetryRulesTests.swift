import Jobs
import StoreRules
import TestSupport
import Testing

@Suite struct RetryRulesTests {
    private let states: [JobState] = [.queued, .running, .succeeded, .failed, .cancelled, .review]
    private let model = RetryChange(route: RouteKey(service: ChangeFixture.service, model: "m2"))

    @Test
    func `only failed and cancelled jobs are reopened, and only queued ones are changed where they are`() {
        for state in states {
            let job = ChangeFixture.job(state)
            let (plain, changed) = (
                RetryKind(job, RetryChange(), isPublished: false),
                RetryKind(job, RetryChange(maxTokens: 5), isPublished: false)
            )
            let isOver = state == .failed || state == .cancelled
            #expect(plain == (isOver ? .reopen : nil))
            #expect(changed == (isOver ? .reopen : state == .queued ? .update : nil))
            #expect(RetryKind(job, RetryChange(), isPublished: true) == nil)
            #expect(RetryKind.states(RetryChange()).contains(state) == (plain != nil))
            #expect(RetryKind.states(RetryChange(maxTokens: 5)).contains(state) == (changed != nil))
        }
    }

    @Test func `what is over, or under way if a queued job was meant, is not cancelled`() {
        for state in states {
            var (any, queued) = (Delta(), Delta())
            let outcomes = (
                any.cancel(ChangeFixture.job(state)),
                queued.cancel(ChangeFixture.job(state), onlyIfQueued: true)
            )
            #expect(outcomes.0 == (state.isTerminal ? .refused(state) : .changed))
            #expect(outcomes.1 == (state == .queued ? .changed : .refused(state)))
            #expect(ChangeFixture.names(any) == (state.isTerminal ? [] : ["end", "release"]))
        }
        var delta = Delta()
        let outcome = delta.cancel(nil)
        #expect(outcome == .unknown)
    }

    @Test func `a reopened job leaves its finish order, its answer, its process and its batch`() throws {
        let place = ChangeFixture.place(.interactive, owner: 9)
        let job = ChangeFixture.job(
            .failed, place: place, batch: 4, finishOrder: 77, answer: 5, tags: ["a", "b"])
        let snapshot = RetrySnapshot(job: job, laneBudget: LaneBudget(budgeted: ["b"]))
        let (delta, left) = try RetryRules(snapshot, RetryChange()).decide(.reopen)
        #expect(ChangeFixture.names(delta) == ["leaveFinishOrder", "update reopen", "decrementUses", "move"])
        #expect(ChangeFixture.moves(delta).first?.place == ChangeFixture.place(budget: "b"))
        #expect(left == nil)
    }

    @Test func `a queued job with another limit stays where it is, and lifts its own streak`() throws {
        let job = ChangeFixture.job(
            .queued, place: ChangeFixture.place(.interactive, budget: "old", owner: 9),
            prefix: CachePrefix(hash: [8], lifetime: 300_000))
        var snapshot = RetrySnapshot(job: job, laneBudget: LaneBudget(budgeted: []))
        snapshot.sent = ChangeFixture.sent()
        let (delta, left) = try RetryRules(snapshot, RetryChange(maxTokens: 5)).decide(.update)
        #expect(
            ChangeFixture.names(delta) == [
                "request", "liftStreaks", "update maxTokens", "update stopAwaiting", "update restartChain",
                "release", "release",
            ])
        #expect(ChangeFixture.releases(delta).map(\.hash) == [[1, 2, 3], [8]])
        #expect(ChangeFixture.releases(delta).allSatisfy { $0.route == 1 && $0.whom == .first })
        #expect(left == nil)
    }

    @Test func `a queued job with another model says which lane it left`() throws {
        let job = ChangeFixture.job(.queued)
        var snapshot = RetrySnapshot(job: job, laneBudget: LaneBudget(budgeted: []))
        snapshot.sent = ChangeFixture.sent()
        snapshot.route = 2
        snapshot.services = [1: ChangeFixture.service, 2: ChangeFixture.otherService]
        let (delta, left) = try RetryRules(snapshot, model).decide(.update)
        #expect(left == job.place)
        #expect(ChangeFixture.moves(delta).map(\.place) == [ChangeFixture.place(route: 2)])
        // Those that wait for its old call wait on its old route.
        #expect(ChangeFixture.releases(delta).map(\.route) == [1])
        guard case .request(_, .changed(let own, _), let facts)? = delta.changes.first else {
            Issue.record("the request was not changed")
            return
        }
        #expect(String(decoding: own, as: UTF8.self).contains(#""model":"m2""#))
        #expect(facts.bytes == own.count)
    }

    @Test func `at half the price a job stays so only where the same service answers`() throws {
        let job = ChangeFixture.job(.queued, place: ChangeFixture.place(.halfPrice))
        for other in [ChangeFixture.service, ChangeFixture.otherService] {
            var snapshot = RetrySnapshot(job: job, laneBudget: LaneBudget(budgeted: []))
            snapshot.sent = ChangeFixture.sent()
            snapshot.route = 2
            snapshot.services = [1: ChangeFixture.service, 2: other]
            let (delta, _) = try RetryRules(snapshot, model).decide(.update)
            let kind = ChangeFixture.moves(delta).first?.place.kind
            #expect(kind == (other == ChangeFixture.service ? .halfPrice : .common))
        }
    }

    @Test func `a job whose check sent another request begins again on its first route with its own`() throws
    {
        let job = ChangeFixture.job(.failed, place: ChangeFixture.place(route: 3), hasCheck: true)
        var snapshot = RetrySnapshot(job: job, laneBudget: LaneBudget(budgeted: []))
        snapshot.check = .init(route: 1, hasMoved: true)
        snapshot.sent = ChangeFixture.sent(next: Array(#"{"model":"m3","max_tokens":10}"#.utf8))
        let (delta, _) = try RetryRules(snapshot, RetryChange()).decide(.reopen)
        #expect(ChangeFixture.names(delta) == ["update reopen", "update resetCheck", "request", "move"])
        #expect(ChangeFixture.moves(delta).first?.place.route == 1)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `whatever is retried moves at most once, from where it stood, and is counted once`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<50 {
            let (snapshot, change, kind) = generated(&random)
            let job = snapshot.job
            let (delta, left) = try RetryRules(snapshot, change).decide(kind)
            let moves = ChangeFixture.moves(delta)
            #expect(moves.count <= 1)
            #expect(moves.allSatisfy { $0.from == job.lane && $0.state == .queued && $0.place != job.place })
            let final = moves.first?.place ?? job.place
            #expect(left == nil || change.route != nil)
            #expect(delta.tallies.lanes.values.reduce(0, +) == 0)
            switch kind {
            case .reopen:
                #expect(final.kind != .interactive && final.owner == nil && final.batch == nil)
                #expect(delta.tallies.lanes.count == 2)
                #expect(ChangeFixture.releases(delta).isEmpty)
            case .update:
                #expect(final.owner == job.place.owner && final.batch == job.place.batch)
                #expect(delta.tallies.lanes.isEmpty)
            }
            if change.route != nil { #expect(final.route == 2) }
        }
    }

    private func generated(
        _ random: inout SeededRandom
    ) -> (RetrySnapshot, RetryChange, RetryKind) {
        let kind: RetryKind = Bool.random(using: &random) ? .reopen : .update
        let lane = [LaneKind.common, .interactive, .halfPrice].randomElement(using: &random) ?? .common
        let place = ChangeFixture.place(
            lane, route: Int64.random(in: 1...3, using: &random),
            budget: Bool.random(using: &random) ? "a" : "", owner: lane == .interactive ? 9 : nil,
            batch: lane != .interactive && Bool.random(using: &random) ? 4 : nil)
        let job = ChangeFixture.job(
            kind == .update ? .queued : .failed, place: place, batch: place.batch,
            finishOrder: kind == .update ? nil : 9,
            tags: Bool.random(using: &random) ? ["a"] : [], hasCheck: true)
        var snapshot = RetrySnapshot(
            job: job, laneBudget: LaneBudget(budgeted: Bool.random(using: &random) ? ["a"] : []))
        if kind == .reopen, Bool.random(using: &random) {
            snapshot.check = .init(route: 3, hasMoved: Bool.random(using: &random))
        }
        snapshot.sent = ChangeFixture.sent(next: Bool.random(using: &random) ? ChangeFixture.request : nil)
        snapshot.services = [
            1: ChangeFixture.service, 2: ChangeFixture.otherService, 3: ChangeFixture.service,
        ]
        let asksForRoute = Bool.random(using: &random)
        snapshot.route = asksForRoute ? 2 : nil
        let change = asksForRoute ? model : RetryChange(maxTokens: 5)
        return (snapshot, change, kind)
    }
}
