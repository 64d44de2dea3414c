import Jobs
import StoreRules
import Testing

@Suite struct LaneRulesTests {
    private let kinds: [LaneKind] = [.common, .interactive, .halfPrice]

    @Test func `a job that stands where it belongs does not move`() {
        for kind in kinds {
            let place = ChangeFixture.place(kind, budget: "a")
            let standing = LaneStanding(lane: 50, state: .queued, place: place)
            #expect(standing.move(100, budget: "a") == nil)
            #expect(standing.move(100, budget: "")?.place == ChangeFixture.place(kind))
        }
    }

    @Test func `only queued jobs leave half price, and they wait for no other answer any more`() {
        for kind in kinds {
            for state in [JobState.queued, .running, .succeeded, .failed] {
                let standing = LaneStanding(lane: 50, state: state, place: ChangeFixture.place(kind))
                var delta = Delta()
                delta.leaveHalfPrice(100, at: standing, budget: "")
                let leaves = state == .queued && kind == .halfPrice
                #expect(ChangeFixture.names(delta) == (leaves ? ["move", "update stopAwaiting"] : []))
                #expect(ChangeFixture.moves(delta).allSatisfy { $0.place.kind == .common })
            }
        }
    }

    // MARK: Clients that come back

    @Test func `what failed for good is not tried again for its client`() {
        func error(_ retryable: Bool) -> JobError {
            JobError(type: "t", message: "m", retryable: retryable)
        }
        let failed = ChangeFixture.job(.failed)
        #expect(failed.isRetriedForItsClient(error(true)))
        #expect(!failed.isRetriedForItsClient(error(false)))
        #expect(!failed.isRetriedForItsClient(nil))
        #expect(ChangeFixture.job(.cancelled, attempt: 0).isRetriedForItsClient(nil))
        #expect(!ChangeFixture.job(.cancelled, attempt: 1).isRetriedForItsClient(nil))
        for state in [JobState.queued, .running, .succeeded, .review] {
            #expect(!ChangeFixture.job(state, attempt: 0).isRetriedForItsClient(error(true)))
        }
    }

    @Test func `a worker takes what waits in the common lane, or for a process that is gone`() {
        let worker = WorkerID(9)
        func canBeTaken(_ place: LanePlace, _ state: JobState = .queued, isGone: Bool = true) -> Bool {
            ChangeFixture.job(state, place: place).canBeTakenOver(by: worker) { _ in isGone }
        }
        #expect(canBeTaken(ChangeFixture.place()))
        #expect(!canBeTaken(ChangeFixture.place(), .running))
        #expect(!canBeTaken(ChangeFixture.place(batch: 4)))
        #expect(!canBeTaken(ChangeFixture.place(.halfPrice)))
        #expect(canBeTaken(ChangeFixture.place(.interactive, owner: 8)))
        #expect(!canBeTaken(ChangeFixture.place(.interactive, owner: 8), isGone: false))
        #expect(!canBeTaken(ChangeFixture.place(.interactive, owner: 9)))
    }

    @Test func `what is taken over stands in the worker's lane with the budgets of its tags`() {
        var delta = Delta()
        delta.takeOver(
            ChangeFixture.job(.queued, tags: ["a"]), by: WorkerID(9), LaneBudget(budgeted: ["a"]))
        #expect(
            ChangeFixture.moves(delta).map(\.place)
                == [ChangeFixture.place(.interactive, budget: "a", owner: 9)])
    }

    // MARK: Coming in

    @Test func `a job is held until its time, and ranks by age and priority`() {
        let now = ChangeFixture.now.timestamp
        let plain = EnqueuedJob(ChangeFixture.newJob(), now: now)
        #expect(plain.heldUntil == nil && plain.runAt == now && plain.rank == now.milliseconds)
        let delayed = EnqueuedJob(ChangeFixture.newJob(delay: 5), now: now)
        #expect(delayed.heldUntil == now + 5)
        let past = EnqueuedJob(ChangeFixture.newJob(runAt: now + -5, delay: 9), now: now)
        #expect(past.heldUntil == nil && past.runAt == now + -5)
        let urgent = EnqueuedJob(ChangeFixture.newJob(priority: 2), now: now)
        #expect(urgent.rank == now.milliseconds - 120_000)
    }

    @Test func `each target has lanes of its own`() {
        func place(_ target: EnqueueTarget, half: Bool) -> LanePlace {
            target.place(queue: 7, route: 1, budget: "", isHalfPrice: half)
        }
        #expect(place(.common, half: false) == ChangeFixture.place())
        #expect(place(.common, half: true) == ChangeFixture.place(.halfPrice))
        #expect(place(.sealed(BatchID(4)), half: true) == ChangeFixture.place(.halfPrice, batch: 4))
        // A client that waits has no time for half the price.
        #expect(
            place(.interactive(WorkerID(9)), half: true) == ChangeFixture.place(.interactive, owner: 9))
    }

    @Test func `the same job is there already, another under its name is a conflict`() throws {
        var job = ChangeFixture.newJob(fingerprint: [1])
        job.customID = "row 1"
        job.idempotency = NewJob.Idempotency(key: "upload", ordinal: 0)
        let (same, other) = (
            KnownJob(id: JobID(5), fingerprint: [1]), KnownJob(id: JobID(6), fingerprint: [2])
        )
        func outcome(uploaded: KnownJob?, named: KnownJob?) throws -> EnqueueOutcome? {
            try EnqueueRules(KnownJobs(uploaded: uploaded, named: named)).repetition(of: job)
        }
        #expect(try outcome(uploaded: nil, named: nil) == nil)
        #expect(try outcome(uploaded: same, named: other) == .existing(JobID(5)))
        #expect(try outcome(uploaded: other, named: same) == .idempotencyMismatch(JobID(6)))
        #expect(try outcome(uploaded: nil, named: same) == .existing(JobID(5)))
        #expect(try outcome(uploaded: nil, named: other) == .customIDTaken(by: JobID(6)))
    }
}

private struct KnownJobs: EnqueueReads {
    let uploaded: KnownJob?
    let named: KnownJob?

    func requirement(of queue: String) -> RequirementState? { nil }
    func job(_ idempotency: NewJob.Idempotency) -> KnownJob? { uploaded }
    func job(named customID: String, in queue: String) -> KnownJob? { named }
    func route(_ key: RouteKey) -> RouteState? { nil }
    func cachedAnswer(_ hash: [UInt8], route: Int64) -> CachedAnswer? { nil }
}
