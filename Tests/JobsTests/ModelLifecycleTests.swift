import Jobs
import Testing

@Suite struct ModelLifecycleTests {
    private func date(_ text: String) throws -> Timestamp {
        try #require(Timestamp(text: text + "T12:00:00Z"))
    }

    @Test func `an id, its dated form and its aliases end together, another model does not`() {
        for id in ["claude-sonnet-4-5", "claude-sonnet-4-5-20250929"] {
            #expect(ModelLifecycle.of(id)?.successor == "claude-sonnet-5-5", "\(id)")
        }
        #expect(ModelLifecycle.of("claude-sonnet-4-20250514")?.model == "claude-sonnet-4")
        #expect(ModelLifecycle.of("claude-opus-4-1-20250805")?.model == "claude-opus-4-1")
        #expect(ModelLifecycle.of("claude-sonnet-4-6") == nil)
        #expect(ModelLifecycle.of("claude-sonnet-5-5") == nil)
    }

    @Test func `the end is near sixty days before it`() throws {
        let lifecycle = try #require(ModelLifecycle.of("claude-sonnet-4-5"))
        let end = try #require(lifecycle.endsAt)
        #expect(lifecycle.stage(at: try date("2026-09-30")) == .current)
        #expect(lifecycle.stage(at: try date("2026-10-02")) == .ending(end))
        #expect(lifecycle.stage(at: try date("2026-11-30")) == .ended(end))
    }

    @Test func `a promise that has passed is told from an end`() throws {
        let lifecycle = try #require(ModelLifecycle.of("claude-haiku-4-5-20251001"))
        let promised = try #require(lifecycle.promisedUntil)
        #expect(lifecycle.stage(at: try date("2026-10-14")) == .current)
        #expect(lifecycle.stage(at: try date("2026-11-21")) == .unpromised(since: promised))
        #expect(ModelLifecycle.isMoving("claude-haiku-4-5") && !ModelLifecycle.isMoving("claude-sonnet-5-5"))
    }
}
