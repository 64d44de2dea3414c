import Jobs
import Testing
import Worker

@Suite(.timeLimit(.minutes(1))) struct WorkingTests {
    @Test func `Every job that is ready is called and settled once`() async throws {
        let harness = StoreHarness(slots: 4)
        harness.store.add(harness.attempts(1...100))
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.settled.count == 100 })
        }
        let state = harness.store.state.now
        #expect(Set(state.settled.map(\.key)).count == 100)
        #expect(state.settled.allSatisfy { $0.verdict == .succeeded && $0.answer != nil && $0.usage != nil })
        #expect(state.unregistered == 1)
    }

    @Test func `No more calls are in flight than there are slots`() async throws {
        let harness = StoreHarness(
            FakeCaller { _ in
                await Task.yield(); return .answered
            }, slots: 3)
        harness.store.add(harness.attempts(1...60))
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.settled.count == 60 })
        }
        #expect(harness.caller.tally.now.most <= 3)
        // What is being settled fills no slot, and is never more than fills them.
        #expect(harness.store.state.now.claims.allSatisfy { $0.slots <= 3 && $0.slots + $0.running <= 6 })
    }

    @Test func `A job that arrives while the worker is idle is claimed at the store's change`() async throws {
        let harness = StoreHarness()
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.claims.count == 1 })
            harness.store.add(harness.attempts(1...1))
            #expect(await harness.store.state.reaches(within: .seconds(4)) { $0.settled.count == 1 })
        }
    }

    @Test func `A worker that is told of work directly claims it`() async throws {
        let harness = StoreHarness()
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.claims.count == 1 })
            let first = harness.attempt(1)
            harness.store.state.change { $0.ready = [first] }
            harness.worker.wake()
            #expect(await harness.store.state.reaches(within: .seconds(4)) { $0.settled.count == 1 })
        }
    }

    @Test func `The alarm that a claim names wakes the worker`() async throws {
        let harness = StoreHarness()
        harness.store.state.change { $0.wakeAfter = 50 }
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.claims.count == 1 })
            let first = harness.attempt(1)
            harness.store.state.change { $0.ready = [first] }
            #expect(await harness.store.state.reaches(within: .seconds(4)) { $0.settled.count == 1 })
        }
    }

    @Test func `An idle worker does not spin`() async throws {
        let harness = StoreHarness()
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.claims.count == 1 })
            #expect(await !harness.store.state.reaches(within: .milliseconds(300)) { $0.claims.count > 2 })
        }
    }

    @Test func `A full worker claims nothing however much changes`() async throws {
        let harness = StoreHarness(.endless(), slots: 1)
        harness.store.add(harness.attempts(1...2))
        try await harness.work {
            #expect(await harness.caller.tally.reaches { $0.begun.count == 1 })
            for _ in 0..<20 { harness.store.touch() }
            #expect(await !harness.store.state.reaches(within: .milliseconds(100)) { $0.claims.count > 1 })
        }
    }

    @Test func `A job that must run alone gets no neighbours`() async throws {
        let order = Observed<[String]>([])
        let harness = StoreHarness(
            FakeCaller { attempt in
                order.change { $0.append("+\(attempt.key.job.value)") }
                await Task.yield()
                order.change { $0.append("-\(attempt.key.job.value)") }
                return .answered
            })
        harness.store.add(
            harness.attempts(1...3) + [harness.attempt(4, alone: true)] + harness.attempts(5...6))
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.settled.count == 6 })
        }
        let events = order.now
        let place = try #require(events.firstIndex(of: "+4"))
        #expect(events[place + 1] == "-4")
        #expect(events[..<place].filter { $0.hasPrefix("+") }.count == 3)
    }

    @Test func `What failed is tried again after a delay, and what went wrong is said`() async throws {
        let harness = StoreHarness(
            FakeCaller { _ in
                Outcome(
                    .broken(Breakage(kind: .reset, message: "reset by peer", maySent: true)),
                    requestID: "req_1")
            })
        harness.store.add(harness.attempts(1...1))
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.settled.count == 1 })
        }
        let settlement = try #require(harness.store.state.now.settled.first)
        guard case .again(let delay, let error, .ifOthersSucceeded) = settlement.verdict else {
            Issue.record("\(settlement.verdict)")
            return
        }
        #expect((1...20).contains(delay) && error.type == "connection_reset")
        #expect(
            settlement.unconfirmedCost && settlement.requestID == "req_1"
                && settlement.routeEvent == .unavailable)
    }

    @Test func `The reaper begins at once, for workers that die young`() async throws {
        let harness = StoreHarness()
        try await harness.work {
            #expect(await harness.store.state.reaches(within: .milliseconds(800)) { $0.reapings >= 1 })
        }
    }

    @Test func `The reaper runs beside the work`() async throws {
        let harness = StoreHarness()
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.reapings >= 2 })
        }
    }
}
