import Glibc
import JSON
import Testing

extension Proofs {
    /// Large batches, and kills in the middle of them.
    @Suite struct MessageBatches {
        private static let settings = ["RENGA_LEASE": "2s"]

        /// `{"requests":[…]}`, each under its number.
        private func body(_ count: Int) -> [UInt8] {
            var bytes = Array(#"{"requests":["#.utf8)
            for number in 0..<count {
                if number > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes +=
                    #"{"custom_id":"r-\#(number)","params":{"model":"claude-haiku-4-5-20251001","max_tokens":16,"#
                    .utf8
                bytes +=
                    #""messages":[{"role":"user","content":"[[sim:output=4]] Say the number \#(number)."}]}}"#
                    .utf8
            }
            return bytes + Array("]}".utf8)
        }

        @Test(arguments: Engine.all)
        func `A large batch survives kills of server and workers, and every request has one result`(
            on engine: Engine
        )
            async throws
        {
            try await Scenario.run(on: engine) { scenario in
                let count = Form.pick(short: 3_000, long: 100_000)
                let simulator = try await scenario.simulator(["latency": "5ms"])
                let server = try await scenario.serve(simulator, Self.settings)
                let start = ContinuousClock.now
                let created = try await server.client.call(
                    "POST", "/v1/messages/batches", body(count), within: 120)
                let seconds = (ContinuousClock.now - start).seconds
                let id = try #require(created.json?["id"]?.string)
                let peak = try server.child.peakBytes()
                let workers = try scenario.works(2, simulator, Self.settings)
                let goal = Form.pick(short: 600, long: 20_000)
                try await eventually("a part is done", within: .seconds(120), every: .milliseconds(50)) {
                    try await scenario.record.count(of: "succeeded") >= goal
                }
                await server.child.killAndWait()
                for worker in workers { await worker.killAndWait() }
                let again = try await scenario.serve(simulator, Self.settings)
                _ = try scenario.works(2, simulator, Self.settings)
                try await eventually("the batch has ended", within: .seconds(240), every: .milliseconds(200))
                {
                    try await again.client.get("/v1/messages/batches/\(id)")["processing_status"]?.string
                        == "ended"
                }
                let results = try await again.client.call(
                    "GET", "/v1/messages/batches/\(id)/results", within: 120)
                let names = results.lines.compactMap { $0["custom_id"]?.string }
                let succeeded = results.lines.count { $0["result"]?["type"]?.string == "succeeded" }
                Figures.print(
                    "a batch of \(count), server and workers killed",
                    [
                        "created in": "\(seconds.text(2)) s", "server's memory": "\(peak >> 20) MiB",
                        "results": "\(names.count)", "calls": "\(try await simulator.calls())",
                    ])
                try demand(names.count == count && Set(names).count == count, "\(names.count) results")
                try demand(succeeded == count, "\(succeeded) succeeded")
                try demandPace(seconds < 20, "it took \(seconds) s to create")
                try demandPace(peak < 150 << 20, "the server took \(peak >> 20) MiB")
            }
        }

        @Test(arguments: Engine.all)
        func `An upload whose server is killed in the middle leaves nothing to be seen`(on engine: Engine)
            async throws
        {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator)
                let bytes = body(5_000)
                let head =
                    "POST /v1/messages/batches HTTP/1.1\r\nhost: localhost\r\ncontent-length: \(bytes.count)\r\n\r\n"
                let connection = try RawConnection(port: server.port)
                defer { connection.close() }
                try await offPool {
                    connection.send(head)
                    connection.send(Array(bytes[..<(bytes.count / 2)]))
                }
                try await eventually("a part is taken in") {
                    try await scenario.record.count(of: "queued") > 500
                }
                await server.child.killAndWait()
                let again = try await scenario.serve(simulator)
                _ = try scenario.work(simulator)
                let listed = try await again.client.get("/v1/messages/batches")["data"]?.count
                let batches = try await again.client.get("/v1/jobs/batches")["data"]?.count
                try await Task.sleep(for: .seconds(1))
                try demand(listed == 0 && batches == 0, "a half batch is shown")
                try demand(try await simulator.calls() == 0, "a part of it was called")
            }
        }

        @Test(arguments: Engine.all) func `An upload that is cut is gone at once`(on engine: Engine)
            async throws
        {
            try await Scenario.run(on: engine) { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator)
                let bytes = body(5_000)
                let head =
                    "POST /v1/messages/batches HTTP/1.1\r\nhost: localhost\r\ncontent-length: \(bytes.count)\r\n\r\n"
                let connection = try RawConnection(port: server.port)
                try await offPool {
                    connection.send(head)
                    connection.send(Array(bytes[..<(bytes.count / 2)]))
                }
                try await eventually("a part is taken in") {
                    try await scenario.record.count(of: "queued") > 500
                }
                connection.close()
                try await eventually("it is gone") { try await scenario.record.count(of: "queued") == 0 }
            }
        }
    }
}
