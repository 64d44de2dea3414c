import Crypto
import JSON
import System
import TestSupport
import Testing

extension Proofs {
    /// A file in, a file out, and nothing paid for twice.
    @Suite struct Enqueue {
        @Test func `A file's results come in the order of its lines, and a second run makes no call`()
            async throws
        {
            try await Scenario.run { scenario in
                let simulator = try await scenario.simulator()
                let server = try await scenario.serve(simulator)
                _ = try scenario.work(simulator)
                let file = scenario.folder.path + "/tickets.jsonl"
                let lines = try tickets()
                try write(lines, to: file)

                let first = try await enqueue(file, "first.jsonl", server, scenario)
                let calls = try await simulator.calls()
                let second = try await enqueue(file, "second.jsonl", server, scenario)
                let callsAgain = try await simulator.calls() - calls

                try demand(keys(first) == keys(lines), "the results are not in the order of the input")
                try demand(first.allSatisfy { $0["state"]?.string == "succeeded" }, "not all succeeded")
                try demand(first.allSatisfy { $0["text"]?.string?.isEmpty == false }, "a result has no text")
                try demand(
                    keys(second) == keys(lines), "the second run's results are not in the order of the input")
                try demand(callsAgain == 0, "the second run made \(callsAgain) calls")
                try demand(calls <= lines.count, "\(calls) calls for \(lines.count) lines")
                Figures.print(
                    "1 enqueue a file",
                    [
                        "lines": "\(lines.count)", "results": "\(first.count)", "calls": "\(calls)",
                        "calls of a second run": "0",
                    ])
            }
        }

        @Test func `Without a key, up says that a simulator answers, and marks what it said`() async throws {
            try await Scenario.run { scenario in
                let port = try Ports.free()
                let child = try scenario.start(["up"], ["RENGA_LISTEN": "127.0.0.1:\(port)"])
                let server = try await scenario.serve(child, port: port)
                let answer = try await server.client.post(
                    "/v1/jobs?wait=20", #"{"prompt":"Name three rivers in Europe."}"#)
                try demand(answer.status == 200, "\(answer.status) \(answer.text)")
                try demand(answer.json?["simulated"]?.bool == true, "not marked as simulated: \(answer.text)")
                try demand(
                    (child.output + child.errors).contains("simulator"),
                    "does not say that a simulator answers")
                try demand(
                    fileExists(scenario.folder.path + "/renga-demo.db"), "its jobs are not in ./renga-demo.db"
                )
                try demand(!fileExists(scenario.folder.path + "/renga.db"), "it made ./renga.db")
            }
        }

        private func enqueue(_ file: String, _ out: String, _ server: Server, _ scenario: Scenario)
            async throws -> [JSON]
        {
            let path = scenario.folder.path + "/" + out
            let run = try await scenario.finish(
                ["enqueue", file, "--wait", "--out", path], ["RENGA_URL": server.url], within: .seconds(120))
            try demand(run.status == .status(0), "enqueue ended with \(run.status): \(run.errors)")
            return try parse(readFile(path, limit: 64 << 20))
        }

        private func keys(_ lines: [JSON]) -> [String] { lines.map { $0["custom_id"]?.string ?? "" } }

        /// The example of the repository; the source's path is where the tests were built.
        private func tickets() throws -> [JSON] {
            let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
            let lines = try parse(readFile("/\(root)/Examples/tickets.jsonl", limit: 16 << 20))
            try demand(lines.count >= 200, "only \(lines.count) tickets")
            return lines
        }

        private func parse(_ bytes: [UInt8]) throws -> [JSON] {
            try bytes.split(separator: UInt8(ascii: "\n")).map { try JSON.parse(Array($0)) }
        }

        private func write(_ lines: [JSON], to path: String) throws {
            try writeTestFile(
                path: path, bytes: Array(lines.map { Array($0.raw) }.joined(separator: [UInt8(ascii: "\n")])))
        }
    }
}
