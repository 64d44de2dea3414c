import Synchronization
import System
import Testing

extension Proofs {
    /// Clients that take their time, and more of them than there is room for.
    @Suite struct SlowClients {
        @Test func `Whoever takes too long is cut in time, and holds nobody up`() async throws {
            raiseFileLimit()
            try await Scenario.run { scenario in
                let server = try await scenario.serve(try await scenario.simulator())
                let (files, port) = (try server.child.descriptors(), server.port)
                let witness = Witness()
                async let slowest = offPool { try witness.watch(port) }
                let silent = try await withThrowingTaskGroup(of: Void.self) { group in
                    for client in SlowClient.all where Form.isLong || client.seconds <= 10 {
                        group.addTask { try await offPool { try client.run(port) } }
                    }
                    let silent = try await offPool { try SilentConnections(3000, port) }
                    try await group.waitForAll()
                    return silent
                }
                witness.stop()
                let seconds = try await slowest
                try await eventually("the descriptors of those who were cut are closed") {
                    try server.child.descriptors() <= files + 2
                }
                Figures.print(
                    "28 slow clients",
                    [
                        "connections of one address": "\(silent.count)", "told 503": "\(silent.refused)",
                        "told 408": "\(silent.late)", "closed for others": "\(silent.closed)",
                        "slowest answer to another address": "\(seconds.text(2)) s",
                        "descriptors before": "\(files)", "after": "\(try server.child.descriptors())",
                    ])
                try demandPace(seconds < 2, "somebody else waited for \(seconds.text(2)) s")
            }
        }
    }
}

/// A client that is too slow in one way, and when its connection ends.
private struct SlowClient {
    let name: String
    /// Sent at once; nothing, or a byte of `drip` a second follows.
    let beginning: String
    var drip = ""
    let seconds: Double
    /// What is answered; where bytes are still on their way, it may be lost.
    var answers = [408]

    private static let post = "POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\n"
    private static let chunked = post + "transfer-encoding: chunked\r\n\r\n"
    private static let x = String(repeating: "x", count: 200)

    // As `HTTPServer.Configuration` says: `headerDeadline`, `bodyDeadline`, `idleTimeout`.
    static let all = [
        SlowClient(name: "silence", beginning: "", seconds: 10),
        SlowClient(name: "half a request line", beginning: "GET /v1/jo", seconds: 10),
        SlowClient(
            name: "half a head", beginning: "GET /health HTTP/1.1\r\nhost: localhost\r\n", seconds: 10),
        SlowClient(name: "a slow request line", beginning: "GET /", drip: x, seconds: 10),
        SlowClient(
            name: "a slow head", beginning: "GET /health HTTP/1.1\r\nhost: localhost\r\nx: ", drip: x,
            seconds: 10),
        SlowClient(
            name: "empty lines", beginning: "", drip: String(repeating: "\n", count: 200), seconds: 10),
        SlowClient(
            name: "a slow body", beginning: post + "content-length: 1000\r\n\r\n", drip: x, seconds: 30),
        SlowClient(
            name: "no body", beginning: post + "content-length: 9223372036854775807\r\n\r\n", seconds: 30),
        SlowClient(name: "slow chunks", beginning: chunked + "fff\r\n", drip: x, seconds: 30),
        SlowClient(name: "a slow extension", beginning: chunked + "1;", drip: x, seconds: 30),
        SlowClient(
            name: "an extension without end",
            beginning: chunked + "1;" + String(repeating: "x", count: 40_000),
            seconds: 30),
        SlowClient(name: "a slow trailer", beginning: chunked + "2\r\n{}\r\n0\r\nx: ", drip: x, seconds: 30),
        SlowClient(
            name: "an upload that stalls",
            beginning:
                "POST /v1/jobs/bulk HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9999\r\n\r\n{\"prompt\":\"x\"}\n",
            seconds: 30),
        SlowClient(
            name: "no further request", beginning: "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n",
            seconds: 75,
            answers: [200]),
    ]

    func run(_ port: Int) throws {
        let connection = try RawConnection(port: port, from: "127.0.0.3")
        defer { connection.close() }
        let start = ContinuousClock.now
        connection.send(beginning)
        var (rest, text, hasEnded) = (Substring(drip), "", false)
        while !hasEnded, ContinuousClock.now - start < .seconds(seconds + 5) {
            if connection.hasNews(within: 1000) {
                let news = connection.receiveSome()
                text += news
                hasEnded = news.isEmpty
            } else if let byte = rest.popFirst() {
                connection.send(String(byte))
            }
        }
        let took = (ContinuousClock.now - start).seconds
        try demand(
            hasEnded && took >= seconds - 1 && took < seconds + 3,
            "\(name): the connection \(hasEnded ? "ended" : "was open") after \(took.text()) s, not \(seconds.text())"
        )
        let statuses = try RawAnswer.all(in: text).map(\.status)
        try demand(
            statuses == answers || !drip.isEmpty && statuses.isEmpty,
            "\(name): answered with \(statuses), not \(answers)")
    }
}

/// Connections of one address that say nothing, many more than one may have: what became of each.
private struct SilentConnections {
    let count: Int
    var refused = 0
    var late = 0
    var closed = 0

    init(_ count: Int, _ port: Int) throws {
        self.count = count
        let connections = try (0..<count).map { _ in try RawConnection(port: port) }
        defer { for connection in connections { connection.close() } }
        for connection in connections {
            switch try RawAnswer.all(in: try connection.receiveAll()).map(\.status) {
            case [503]: refused += 1
            case [408]: late += 1
            case []: closed += 1
            case let statuses: throw Disappointment("silence is answered with \(statuses)")
            }
        }
    }
}

/// Somebody at another address, who asks again and again.
private final class Witness: Sendable {
    private let isDone = Atomic(false)

    func stop() { isDone.store(true, ordering: .relaxed) }

    /// The longest that an answer took, in seconds.
    func watch(_ port: Int) throws -> Double {
        var slowest = 0.0
        while !isDone.load(ordering: .relaxed) {
            let start = ContinuousClock.now
            let connection = try RawConnection(port: port, from: "127.0.0.2")
            defer { connection.close() }
            connection.send("GET /v1/stats HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            let statuses = try RawAnswer.all(in: connection.receiveAll()).map(\.status)
            try demand(statuses == [200], "somebody else was answered with \(statuses)")
            slowest = max(slowest, (ContinuousClock.now - start).seconds)
            // Often enough to meet every moment, not so often as to be what is measured.
            _ = connection.hasNews(within: 50)
        }
        return slowest
    }
}
