import HTTPClient
import HTTPServer
import JSON
import Simulator
import Telemetry
import Testing

/// What only a real connection shows.
@Suite struct SocketTests {
    @Test func `Calls are answered over a socket, with the request's id in header and error`() async throws {
        try await withServer { simulator, send in
            let answer = try await send("The product is great! Classify: positive, negative.", "")
            #expect(answer.status == 200)
            #expect(answer.headers["request-id"]?.hasPrefix("req_") == true)
            let error = try await send("[[sim:status=529]]", "")
            #expect(error.status == 529)
            let id = try JSON.parse(error.body)["request_id"]?.string
            #expect(id == error.headers["request-id"])
            #expect(simulator.stats.calls == 2)
        }
    }

    @Test func `Connections break as asked`() async throws {
        try await withServer { simulator, send in
            for fault in ["reset", "drop-after"] {
                let error = await #expect(throws: HTTPClientError.self) {
                    _ = try await send("[[sim:\(fault)]]", "")
                }
                #expect(error?.code == .reset, "\(fault): \(String(describing: error))")
            }
            for stream in ["", #","stream":true"#] {
                let error = await #expect(throws: HTTPClientError.self) {
                    _ = try await send("Tell me more [[sim:truncate]]", stream)
                }
                #expect(error?.code == .truncated, "\(stream): \(String(describing: error))")
            }
            #expect(simulator.stats.billedCalls == 3)
            #expect(simulator.stats.inFlight == 0)
        }
    }

    @Test func `A stream arrives whole`() async throws {
        try await withServer { _, send in
            let answer = try await send("Tell me more.", #","stream":true"#)
            let events = Event.parse(String(decoding: answer.body, as: UTF8.self))
            #expect(events.last?.name == "message_stop")
        }
    }

    @Test func `A batch is fetched from the address that it names, and a cut of its results is seen`()
        async throws
    {
        try await withSockets(["batch-turnaround": "0", "batch-faults": "results=truncate:#1"]) { _, send in
            let made = try await send("POST", "/v1/messages/batches", batchBody([("a", messageBody("Hi"))]))
            let id = try JSON.parse(made.body)["id"]?.string ?? ""
            let batch = try JSON.parse(try await send("GET", "/v1/messages/batches/\(id)", []).body)
            let results = batch["results_url"]?.string ?? ""
            #expect(results.hasPrefix("http://127.0.0.1:") && results.hasSuffix("/\(id)/results"))
            let path = "/" + results.split(separator: "/").dropFirst(2).joined(separator: "/")
            let error = await #expect(throws: HTTPClientError.self) { _ = try await send("GET", path, []) }
            #expect(error?.code == .truncated)
            let whole = try await send("GET", path, [])
            #expect(
                String(decoding: whole.body, as: UTF8.self).hasPrefix(
                    #"{"custom_id":"a","result":{"type":"succeeded""#))
            #expect(try await send("DELETE", "/v1/messages/batches/\(id)", []).status == 200)
        }
    }

    @Test func `Hundreds of slow calls fly at once`() async throws {
        try await withServer { simulator, send in
            await withTaskGroup(of: Int.self) { group in
                for n in 0..<300 {
                    group.addTask { (try? await send("[[sim:latency=1500]] \(n)", ""))?.status ?? 0 }
                }
                for await status in group { #expect(status == 200) }
            }
            #expect(simulator.stats.distinctPrompts == 300)
            #expect(simulator.stats.maxConcurrent > 150)
        }
    }

    private func withServer(
        _ body: (Simulator, @escaping @Sendable (String, String) async throws -> HTTPResponse) async throws ->
            Void
    ) async throws {
        try await withSockets([:]) { simulator, send in
            try await body(simulator) { prompt, extra in
                try await send("POST", "/v1/messages", messageBody(prompt, extra: extra))
            }
        }
    }

    private func withSockets(
        _ options: [String: String],
        _ body: (Simulator, @escaping @Sendable (String, String, [UInt8]) async throws -> HTTPResponse)
            async throws ->
            Void
    ) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let now = { @Sendable in Int64((clock.now - start) / .milliseconds(1)) + 1_790_000_000_000 }
        let simulator = Simulator(
            settings: try SimulatorSettings(options: options),
            clock: SimulatorClock(timestamp: now, uptime: now), log: .silent)
        let server = HTTPServer(configuration: .init(), handler: simulator)
        try server.start()
        let client = HTTPClient(maxConnections: 300)
        let base = "http://127.0.0.1:\(server.port)"
        try await body(simulator) { method, path, bytes in
            try await client.send(
                HTTPRequest(
                    method: method, url: base + path,
                    headers: [("x-api-key", "k"), ("anthropic-version", "2023-06-01")], body: bytes))
        }
        client.shutdown()
        await server.stop()
    }
}
