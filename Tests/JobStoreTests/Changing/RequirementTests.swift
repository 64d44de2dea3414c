import Jobs
import Testing

/// What a queue requires, jobs that come in have, or they are not taken.
@Suite struct RequirementTests {
    private static let check = NewCheck(rules: Array(#"{"labels":["positive"]}"#.utf8), routes: [])

    private func require(_ requirement: QueueRequirement, _ harness: StoreHarness) async throws {
        let queue = try await harness.store.update(queue: "default", QueuePatch(requirement: requirement))
        #expect(queue.requirement == requirement)
    }

    private func lacks(_ jobs: [NewJob], _ harness: StoreHarness) async throws -> [QueueRefusal.Lack?] {
        let previews = try await harness.store.preview(jobs)
        let outcomes = try await harness.store.enqueue(jobs, atomically: false)
        return zip(outcomes, previews).map { outcome, preview in
            guard case .refused(let refusal) = outcome else {
                #expect(preview.isNew)
                return nil
            }
            #expect(preview == .refused(refusal))
            #expect(refusal.queue == "default" && refusal.explanation.contains("queue default"))
            return refusal.lack
        }
    }

    private func job(_ text: String, system: String?) throws -> NewJob {
        try Sample.job(text) { job in
            guard let system else { return }
            job.request = Array(
                #"{"system":\#(system),"messages":[{"role":"user","content":"\#(text)"}]}"#.utf8)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a system prompt is one that says something`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await require(QueueRequirement(system: true), harness)
            let systems = [
                nil, #""""#, "[]", "null", #""Be brief.""#, #"[{"type":"text","text":"Be brief."}]"#,
            ]
            let jobs = try systems.enumerated().map { try job("\($0.offset)", system: $0.element) }
            #expect(try await lacks(jobs, harness) == [.system, .system, .system, .system, nil, nil])
            #expect(try await harness.store.queue("default")?.counts.total == 2)
            try await require(QueueRequirement(), harness)
            #expect(try await lacks([try job("free", system: nil)], harness) == [nil])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a check is the job's or the queue's, unless the job refuses that`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await require(QueueRequirement(check: true), harness)
            let own = try Sample.job("own") { $0.check = Self.check }
            #expect(try await lacks([own, try Sample.job("none")], harness) == [nil, .check])
            _ = try await harness.store.update(queue: "default", QueuePatch(check: .some(Self.check)))
            let free = try Sample.job("free") { $0.refusesQueueCheck = true }
            #expect(try await lacks([try Sample.job("theirs"), free], harness) == [nil, .check])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a prompt is at most so long, and not of unknown length`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let short = try Sample.job("short")
            let tokens = try #require(short.bound.inputTokens)
            try await require(QueueRequirement(maxInputTokens: Int(tokens)), harness)
            let elsewhere = try Sample.job("file") { $0.bound = .unknown }
            let limit = Int(tokens)
            #expect(
                try await lacks([short, try Sample.job("longer"), elsewhere], harness)
                    == [nil, .inputTokens(tokens + 1, limit: limit), .inputTokens(nil, limit: limit)])
        }
    }

    @Test(arguments: Backend.allCases)
    func `what was taken before is there still, and other queues take anything`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let keyed = try Sample.job("one") { $0.customID = "k" }
            let id = try await harness.enqueue([keyed])[0]
            try await require(QueueRequirement(system: true), harness)
            let jobs = [keyed, try Sample.job("two"), try Sample.job("two", queue: "other")]
            let outcomes = try await harness.store.enqueue(jobs, atomically: false)
            #expect(outcomes[0] == .existing(id) && outcomes[1].id == nil && outcomes[2].id != nil)
            let whole = try await harness.store.enqueue(Array(jobs.dropFirst()), atomically: true)
            #expect(whole[0] == .refused(QueueRefusal(queue: "default", lack: .system)))
            #expect(try await harness.store.queue("other")?.counts.total == 1)
            let change = RetryChange(maxTokens: 9)
            #expect(try await harness.store.retry(id, change: change) == .changed)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a request of a message batch that its queue does not take becomes its own result`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            try await require(QueueRequirement(system: true), harness)
            let store = try #require(harness.store as? any MessageBatchStore)
            let batch = try await store.beginUpload()
            let requests = [
                BatchRequest(customID: "bad", job: try job("bad", system: nil)),
                BatchRequest(customID: "good", job: try job("good", system: #""Be brief.""#)),
            ]
            #expect(try await store.upload(requests, to: batch) == nil)
            _ = try await store.open(batch, key: nil, fingerprint: [])
            let counts = try #require(try await store.messageBatch(batch)).counts
            #expect(counts.failed == 1 && counts.queued == 1)
            let result = try #require(try await store.results(of: batch, after: -1, limit: 5).first)
            #expect(result.customID == "bad")
            #expect(result.finished.job.error?.message.contains("requires a system prompt") == true)
        }
    }
}
