import Jobs
import StoreRules
import Testing

@Suite struct ConfigurationRulesTests {
    private let now = ChangeFixture.now

    // MARK: Queues

    @Test func `a queue changes in what is said of it alone`() {
        var nothing = Delta()
        nothing.update(queue: 7, QueuePatch(), check: nil)
        #expect(nothing.changes.isEmpty)
        var all = Delta()
        all.update(
            queue: 7,
            QueuePatch(
                paused: true, concurrency: .some(nil), weight: 2, requirement: QueueRequirement(system: true)),
            check: .some(nil))
        #expect(
            ChangeFixture.names(all)
                == ["queue paused", "queue concurrency", "queue weight", "queue check", "queue requirement"])
    }

    @Test func `a queue that is resumed holds nothing back for refusals`() {
        var delta = Delta()
        delta.update(queue: 7, QueuePatch(paused: false), check: nil)
        #expect(ChangeFixture.names(delta) == ["queue paused", "liftStreaks"])
    }

    // MARK: Routes

    private let route = ChangeFixture.route

    @Test func `a paused route keeps what is known of it`() {
        var (delta, rowCache) = (Delta(), RowCache())
        delta.setPaused(true, route, in: &rowCache, now: now.moment)
        #expect(ChangeFixture.names(delta) == ["route paused"])
        #expect(rowCache.changed.routes.isEmpty)
    }

    @Test func `a resumed route is tried anew, with the operator's limits alone`() {
        var (delta, rowCache) = (Delta(), RowCache())
        delta.setPaused(false, route, in: &rowCache, now: now.moment)
        #expect(
            ChangeFixture.names(delta) == [
                "route paused", "route forgetLimit", "route forgetLimit", "route acceptCredentials",
                "route pollBatches",
            ])
        #expect(rowCache.routes[3]?.ledger.gate.state == .open)
        #expect(rowCache.routes[3].map { Set($0.ledger.lines.keys) } == [.requests])
    }

    @Test func `limits that are stated no more are forgotten`() {
        var (delta, rowCache) = (Delta(), RowCache())
        delta.configure(RouteLimits(inputTokens: 500), of: route, in: &rowCache, now: now.moment)
        #expect(ChangeFixture.names(delta) == ["route forgetLimit", "route forgetLimit"])
        #expect(rowCache.routes[3]?.ledger.lines[.inputTokens]?.stated == 500)
        #expect(rowCache.routes[3]?.ledger.lines[.requests] == nil)
    }
}
