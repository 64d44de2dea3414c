import Foundation
import HTTPClient
import JSON
import Synchronization
import System
import Testing

extension Proofs {
    /// Many callers who read as it is written: what renga adds to each event's way.
    @Suite struct Streaming {
        private struct Seen: Sendable {
            var delays: [Int64] = []
            var events = 0
            var isWhole = false
            var isInOrder = true
        }

        @Test(arguments: Engine.all)
        func `Events of hundreds of streams arrive in order and hardly later than they were sent`(
            on engine: Engine
        )
            async throws
        {
            try await Scenario.run(on: engine) { scenario in
                let callers = Form.pick(short: 60, long: 300)
                let tokens = Form.pick(short: 120, long: 1_800)
                let simulator = try await scenario.simulator(
                    ["output-rate": "30", "latency": "0", "rpm": "100000", "otpm": "10000000"])
                let server = try await scenario.serve(simulator)
                try await warmUp(server.url)
                let direct = try await listen(simulator.url, callers, tokens)
                let through = try await listen(server.url, callers, tokens)
                let (without, with) = (Percentiles(direct), Percentiles(through))
                Figures.print(
                    "\(callers) streams at 30 tokens a second",
                    [
                        "events": "\(through.reduce(0) { $0 + $1.events })",
                        "delay without renga": without.text, "with renga": with.text,
                        "server's memory": "\(try server.child.peakBytes() >> 20) MiB",
                    ])
                for seen in through {
                    try demand(seen.isWhole && seen.isInOrder, "a stream came out of order, or not whole")
                }
                try demand(
                    through.reduce(0) { $0 + $1.delays.count } == direct.reduce(0) { $0 + $1.delays.count },
                    "not every event was delivered")
                try demandPace(
                    with.p99 - without.p99 <= Form.pick(short: 500, long: 10),
                    "p99 is \(with.p99) ms, without renga \(without.p99) ms")
                try await scenario.allFinished(within: .seconds(10))
                try demand(
                    try await scenario.record.count(of: "succeeded") == callers + 1, "not all are recorded")
            }
        }

        private struct Percentiles {
            let p50, p99, most: Int64

            init(_ seen: [Seen]) {
                let delays = seen.flatMap(\.delays).sorted()
                func at(_ share: Double) -> Int64 {
                    delays.isEmpty ? 0 : delays[min(delays.count - 1, Int(Double(delays.count) * share))]
                }
                (p50, p99, most) = (at(0.5), at(0.99), delays.last ?? 0)
            }

            var text: String { "p50 \(p50) ms, p99 \(p99) ms, at most \(most) ms" }
        }

        private static let http = HTTPClient(maxConnections: 400)

        private func warmUp(_ url: String) async throws {
            _ = try await stream(url, "Warm up.", tokens: 2)
        }

        private func listen(_ url: String, _ callers: Int, _ tokens: Int) async throws -> [Seen] {
            try await withThrowingTaskGroup(of: Seen.self) { group in
                for number in 0..<callers {
                    group.addTask {
                        // Spread over a delta's time, as callers come.
                        try await Task.sleep(for: .milliseconds(number * 266 / callers))
                        return try await stream(url, "Caller \(number).", tokens: tokens)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }

        private func stream(_ url: String, _ prompt: String, tokens: Int) async throws -> Seen {
            let body =
                #"{"model":"claude-haiku-4-5-20251001","max_tokens":4096,"stream":true,"messages":[{"role":"user","#
                + #""content":"[[sim:output=\#(tokens);stamp]] \#(prompt)"}]}"#
            let answer = try await Self.http.stream(
                HTTPRequest(
                    url: url + "/v1/messages",
                    headers: [
                        ("content-type", "application/json"), ("x-api-key", "sk"),
                        ("anthropic-version", "2023-06-01"),
                    ],
                    body: Array(body.utf8), timeouts: .init(idle: 60, call: 300), maxResponseBytes: 64 << 20))
            guard answer.status == 200 else { throw Disappointment("a stream was refused: \(answer.status)") }
            let clock = SystemClock()
            var (seen, rest, last) = (Seen(), [UInt8](), Int64(0))
            for try await piece in answer.body {
                let now = clock.uptimeMilliseconds()
                rest += piece
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = String(decoding: rest[..<end], as: UTF8.self)
                    rest = Array(rest[(end + 1)...])
                    if line.hasPrefix("event: ") { seen.events += 1 }
                    if line == "event: message_stop" { seen.isWhole = true }
                    guard let stamp = line.range(of: #""sim_sent_ms":""#) else { continue }
                    let sent = Int64(line[stamp.upperBound...].prefix { $0 != "\"" }) ?? 0
                    seen.delays.append(now - sent)
                    seen.isInOrder = seen.isInOrder && sent >= last
                    last = sent
                }
            }
            return seen
        }
    }
}
