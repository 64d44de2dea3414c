import HTTPClient
import HTTPServer
import JSON
import Jobs
import Simulator
import Synchronization
import Testing

@testable import Models

/// The provider's own batches, over a real connection to the simulator.
@Suite(.timeLimit(.minutes(1))) struct AnthropicBatchesTests {
    private static let route = RouteKey(service: CallPlanTests.key, model: "claude-haiku-4-5-20251001")

    private func providerBatch(_ requests: Int) -> ProviderBatch {
        ProviderBatch(
            id: ProviderBatchID(1), route: Self.route, token: "m4rk", state: .sealed, providerID: nil,
            rejectedIDs: [], requests: requests, sentAt: nil, recallAt: nil, failures: 0, isWanted: true)
    }

    private func requests(_ prompts: String...) -> [BatchedRequest] {
        prompts.enumerated().map { index, prompt in
            let body =
                #"{"model":"claude-haiku-4-5-20251001","max_tokens":16,"stream":true,"#
                + #""messages":[{"role":"user","content":"\#(prompt)"}]}"#
            return BatchedRequest(
                key: AttemptKey(job: JobID(Int64(index + 1)), number: 1), request: Array(body.utf8))
        }
    }

    private func withBatches(
        _ options: [String: String] = [:],
        _ body: (Simulator, AnthropicBatches) async throws -> Void
    ) async throws {
        let options = ["batch-turnaround": "0"].merging(options) { $1 }
        let simulator = CallerTests.simulator(try SimulatorSettings(options: options))
        let server = HTTPServer(configuration: .init(), handler: simulator)
        try server.start()
        let client = HTTPClient()
        let service = AnthropicService(
            key: CallPlanTests.key, baseURL: "http://127.0.0.1:\(server.port)", apiKey: Secret("sk-test"))
        let batches = AnthropicBatches(services: [service], client: client, clock: FixedClock())
        try await body(simulator, batches)
        client.shutdown()
        await server.stop()
    }

    private func read(_ id: String, _ batches: AnthropicBatches) async throws -> [BatchLine] {
        let lines = Mutex<[BatchLine]>([])
        try await batches.results(of: id, on: Self.route.service) { portion in
            lines.withLock { $0 += portion }
        }
        return lines.withLock { $0 }
    }

    @Test func `A batch is made, listed, and answers each of its requests under its name`() async throws {
        try await withBatches { _, batches in
            let providerBatch = providerBatch(3)
            let creation = await batches.create(
                providerBatch, requests("[[sim:say=Yes]]", "[[sim:status=400]]", "[[sim:say=No]]"))
            guard case .created(let made) = creation else {
                Issue.record("\(creation)")
                return
            }
            #expect(made.requests == 3)
            let since = made.createdAt + -1000
            let listed = try await batches.batches(of: Self.route.service, since: since)
            #expect(listed.map(\.id) == [made.id])
            let ended = try await batches.batch(made.id, of: Self.route.service)
            #expect(ended?.hasEnded == true)
            let lines = try await read(made.id, batches)
            let found = Dictionary(uniqueKeysWithValues: lines.map { ($0.customID, $0.outcome) })
            #expect(Set(found.keys) == ["m4rk-1-1", "m4rk-2-1", "m4rk-3-1"])
            let answer = try #require(found["m4rk-1-1"]?.result.answer)
            #expect(answer.usage.isBatch && answer.usage.outputTokens > 0)
            #expect(found["m4rk-2-1"]?.result.summary == "refused 400 invalid_request_error")
            #expect(providerBatch.key(of: "m4rk-3-1") == AttemptKey(job: JobID(3), number: 1))
            #expect(providerBatch.key(of: "other-3-1") == nil)
        }
    }

    @Test func `What was lost on its way may have been made, what was refused was not`() async throws {
        try await withBatches(["batch-faults": "create=drop-after:#1,create=429;retry-after=7:#2"]) {
            simulator, batches in
            guard case .unknown = await batches.create(providerBatch(1), requests("a")) else {
                Issue.record("a lost answer tells nothing")
                return
            }
            let since = Timestamp(milliseconds: 0)
            let kept = try await batches.batches(of: Self.route.service, since: since)
            #expect(kept.count == 1)
            guard case .refused(let refusal) = await batches.create(providerBatch(1), requests("a")) else {
                Issue.record("a refusal tells all")
                return
            }
            #expect(refusal.status == 429 && refusal.retryAfter?.delay == 7000)
            let alike = try await batches.batches(of: Self.route.service, since: since)
            #expect(alike.count == 1)
        }
    }

    @Test func `A batch that is not known is nil, and results that break off are an error`() async throws {
        try await withBatches(["batch-faults": "results=truncate:#1"]) { _, batches in
            let unknown = try await batches.batch("msgbatch_none", of: Self.route.service)
            #expect(unknown == nil)
            guard case .created(let made) = await batches.create(providerBatch(2), requests("a", "b")) else {
                Issue.record("not made")
                return
            }
            await #expect(throws: JobError.self) { try await read(made.id, batches) }
            let lines = try await read(made.id, batches)
            #expect(lines.count == 2)
        }
    }

    @Test func `A batch that is called back gives what is left as not called`() async throws {
        try await withBatches(["batch-turnaround": "1h", "batch-cancel-time": "0"]) { _, batches in
            guard case .created(let made) = await batches.create(providerBatch(2), requests("a", "b")) else {
                Issue.record("not made")
                return
            }
            let early = try await batches.batch(made.id, of: Self.route.service)
            #expect(early?.hasEnded == false)
            try await batches.cancel(made.id, of: Self.route.service)
            let late = try await batches.batch(made.id, of: Self.route.service)
            #expect(late?.hasEnded == true)
            let results = try await read(made.id, batches).map(\.outcome.result.summary)
            #expect(results == ["abandoned", "abandoned"])
        }
    }

    @Test func `Lines are read in whatever pieces they come`() throws {
        let text =
            #"{"custom_id":"a","result":{"type":"expired"}}"# + "\r\n"
            + #"{"custom_id":"b","result":{"type":"canceled"}}"#
        for size in 1...text.utf8.count {
            var reader = BatchLineReader(secret: Secret(""))
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                try reader.append(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            try reader.finish()
            #expect(reader.take().map(\.customID) == ["a", "b"])
        }
        var reader = BatchLineReader(secret: Secret(""))
        #expect(throws: JobError.self) { try reader.append(Array("{\"custom_id\":1}\n".utf8)) }
    }
}
