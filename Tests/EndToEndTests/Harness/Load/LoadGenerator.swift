import Glibc
import JSON
import SQLite
import Synchronization
import System
import TestSupport

/// Sixteen processes that write to one database at the same time: servers that are given jobs, and workers.
struct LoadGenerator: Sendable {
    private static let servers = 6
    private static let workers = 10
    /// Jobs that wait at most: more prove nothing, and the database is to be audited at the end.
    private static let backlog = 2_000
    /// The rounds of whoever brings jobs or reads pages: the write lock is to be contended for, not the processors.
    private static let round = Duration.milliseconds(200)

    let servers: [Server]
    private let workers: [Child]
    private let scenario: Scenario
    private let tally = Tally()

    final class Tally: Sendable {
        let state = Mutex((sent: 0, waiting: 0, logBytes: 0, pages: 0, views: 0))
    }

    init(_ scenario: Scenario, _ simulator: Simulated) async throws {
        self.scenario = scenario
        var servers: [Server] = []
        for _ in 0..<Self.servers { servers.append(try await scenario.serve(simulator)) }
        self.servers = servers
        workers = try scenario.works(Self.workers, simulator, ["RENGA_CONCURRENCY": "10"])
    }

    /// Jobs sent, pages read over HTTP, views of the slow reader, and the longest log seen, in bytes.
    var seen: (sent: Int, waiting: Int, logBytes: Int, pages: Int, views: Int) {
        tally.state.withLock { $0 }
    }

    /// Sends jobs from all sides and reads them, until then; any refusal is thrown.
    func press(until end: ContinuousClock.Instant) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, server) in servers.enumerated() {
                group.addTask { try await upload(to: server, as: "bulk-\(number)", until: end) }
                group.addTask { try await post(to: server, as: "job-\(number)", until: end) }
                group.addTask { try await page(through: server, until: end) }
            }
            group.addTask { try await enqueueFiles(until: end) }
            group.addTask { try await readSlowly(until: end) }
            group.addTask { try await measure(until: end) }
            try await group.waitForAll()
        }
    }

    /// Stops all of them, and returns what each says of its writing.
    func stop() async throws -> [JSON] {
        let children = servers.map(\.child) + workers
        for child in children { child.signal(SIGTERM) }
        var words: [JSON] = []
        for child in children {
            let exit = await child.exit(within: .seconds(60))
            try demand(exit == .status(0), "\(child.name) ended with \(exit?.description ?? "nothing")")
            words.append(try JSON.parse(Array((child.errors.split(separator: "\n").last ?? "").utf8)))
        }
        return words
    }
}

/// Who brings jobs.
extension LoadGenerator {
    private func upload(to server: Server, as name: String, until end: ContinuousClock.Instant) async throws {
        try await rounds(until: end) { count in
            try await server.enqueue(10, as: "\(name)-\(count)") { "Say \(name), \(count), \($0)." }
            tally.state.withLock { $0.sent += 10 }
        }
    }

    private func post(to server: Server, as name: String, until end: ContinuousClock.Instant) async throws {
        try await rounds(until: end) { count in
            let prompt = "Say \(name), \(count)."
            let answer = try await server.client.post(
                "/v1/jobs", #"{"prompt":"\#(prompt)","max_tokens":16}"#)
            try demand([200, 202].contains(answer.status), "\(answer.status) \(answer.text)")
            tally.state.withLock { $0.sent += 1 }
        }
    }

    /// The command line, a process for each file.
    private func enqueueFiles(until end: ContinuousClock.Instant) async throws {
        let file = scenario.folder.path + "/prompts.txt"
        try await rounds(until: end) { count in
            let lines = (0..<20).map { "Say file, \(count), \($0)." }.joined(separator: "\n")
            try writeTestFile(path: file, bytes: Array(lines.utf8))
            let server = servers[count % servers.count]
            let run = try await scenario.finish(
                ["enqueue", "--text", "--max-tokens", "16", file], ["RENGA_URL": server.url])
            try demand(run.status == .status(0), "enqueue: \(run.status) \(run.output) \(run.errors)")
            tally.state.withLock { $0.sent += 20 }
        }
    }

    /// At most one each round, and none while enough jobs wait.
    private func rounds(
        until end: ContinuousClock.Instant, _ body: (Int) async throws -> Void
    ) async throws {
        var count = 0
        while ContinuousClock.now < end {
            let next = ContinuousClock.now + Self.round
            if tally.state.withLock({ $0.waiting }) <= Self.backlog { try await body(count) }
            count += 1
            try await Task.sleep(until: next)
        }
    }
}

/// Who looks on.
extension LoadGenerator {
    private func page(through server: Server, until end: ContinuousClock.Instant) async throws {
        var cursor = ""
        try await rounds(until: end) { _ in
            let page = try await server.client.get("/v1/jobs?limit=200\(cursor)")
            cursor = page["next_cursor"]?.string.map { "&cursor=\($0)" } ?? ""
            tally.state.withLock { $0.pages += 1 }
        }
    }

    /// Reads everything in one view that it holds for two seconds, and at once in the next.
    private func readSlowly(until end: ContinuousClock.Instant) async throws {
        try await offPool { [path = scenario.database, tally] in
            let connection = try Connection(path: path, mode: .read)
            while ContinuousClock.now < end {
                try connection.snapshot { try readView(connection, until: .now + .seconds(2)) }
                tally.state.withLock { $0.views += 1 }
            }
        }
    }

    private func measure(until end: ContinuousClock.Instant) async throws {
        while ContinuousClock.now < end {
            let bytes = fileSize(scenario.database + "-wal") ?? 0
            tally.state.withLock { $0.logBytes = max($0.logBytes, bytes) }
            let waiting = try await scenario.record.waiting()
            tally.state.withLock { $0.waiting = waiting }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}

/// A view that stays what it is, page by page and round after round.
private func readView(_ connection: Connection, until end: ContinuousClock.Instant) throws {
    let newest = try connection.query("SELECT max(id) FROM job") { row in row.int64OrNil(0) }
    while ContinuousClock.now < end {
        var last = Int64(0)
        repeat {
            let ids = try connection.query(
                "SELECT id FROM job WHERE id > ?1 ORDER BY id LIMIT 500", [.integer(last)]
            ) { row in row.int64(0) }
            last = ids.last ?? .max
            usleep(5_000)
        } while last < .max && ContinuousClock.now < end
    }
    let again = try connection.query("SELECT max(id) FROM job") { row in row.int64OrNil(0) }
    try demand(newest == again, "a view changed while it was read")
}
