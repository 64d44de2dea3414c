import System
import TestPostgres
import TestSupport
import Testing

@testable import Postgres

@Suite(.onThread) struct SessionTests {
    private static let next = Statement("next", "SELECT $1::bigint + 1", .bigint)

    private func next(_ number: Int64) -> Call {
        var arguments = Arguments()
        arguments.add(number)
        return Call(Self.next, arguments)
    }

    @Test func `Callers that come together share round trips, and each has its own answer`() async throws {
        let session = try session(TestPostgres.shared().database())
        try await withThrowingTaskGroup { group in
            for number in 0..<400 as Range<Int64> {
                group.addTask {
                    let rows = try await session.run([next(number)])
                    #expect(try rows[0][0].int64(0) == number + 1)
                }
            }
            try await group.waitForAll()
        }
        let statistics = session.statistics
        #expect(statistics.requests == 400 && statistics.connections == 1 && statistics.isConnected)
        #expect(statistics.roundTrips < 200)
        await session.close()
    }

    @Test func `Callers that come together share a commit, and see nothing of each other's failure`()
        async throws
    {
        let session = try session(TestPostgres.shared().database())
        try await session.run { connection in
            try connection.execute(
                script: "CREATE TABLE item (id bigint PRIMARY KEY, xid xid8 DEFAULT pg_current_xact_id())")
        }
        let insert = Statement("insert", "INSERT INTO item (id) VALUES ($1::bigint) RETURNING xid", .bigint)
        func store(_ id: Int64) -> Call {
            var arguments = Arguments()
            arguments.add(id)
            return Call(insert, arguments)
        }
        /// The transactions of rows that all wait for one request before them; nil if one was refused.
        func transactions(of ids: [Int64]) async throws -> Set<UInt64?> {
            let gate = try Mailbox<Void>(.semaphore)
            let first = Task { try await session.run { connection in _ = gate.take(atMost: 1) } }
            let others = ids.map { id in
                Task { () throws -> UInt64? in
                    do {
                        return try await session.run([store(id)])[0][0].xid8(0)
                    } catch let error as PostgresError where error.state == "23505" {
                        return nil
                    }
                }
            }
            try await eventually { session.statistics.waiting == ids.count + 1 }
            gate.post(())
            try await first.value
            var seen: Set<UInt64?> = []
            for other in others { seen.insert(try await other.value) }
            return seen
        }
        #expect(try await transactions(of: Array(1...100)).count == 1)
        // The last is there already: all are undone, and run again by themselves.
        let afterwards = try await transactions(of: Array(101...150) + [1])
        #expect(afterwards.count == 51 && afterwards.contains(nil))
        #expect(try await session.run([call("SELECT count(*) FROM item")])[0][0].int64(0) == 150)
        await session.close()
    }

    @Test func `One caller's error is not another's`() async throws {
        let session = try session(TestPostgres.shared().database())
        // All of these wait while the first is under way, so that they share the next trip.
        async let first: Void = session.run { connection in
            _ = try connection.run([call("SELECT pg_sleep(0.05)")])
        }
        try await withThrowingTaskGroup { group in
            for number in 0..<40 as Range<Int64> {
                group.addTask {
                    guard number % 4 == 0 else {
                        return try await #expect(session.run([next(1)])[0][0].int64(0) == 2)
                    }
                    let error = await #expect(throws: PostgresError.self) {
                        try await session.run([call("SELECT 1/0")])
                    }
                    #expect(error?.state == "22012")
                }
            }
            try await group.waitForAll()
        }
        try await first
        await session.close()
    }

    @Test func `A closure has the connection to itself`() async throws {
        let session = try session(TestPostgres.shared().database())
        try await session.run { connection in
            try connection.execute(script: "CREATE TABLE sum (value bigint); INSERT INTO sum VALUES (0)")
        }
        try await withThrowingTaskGroup { group in
            for _ in 1...20 {
                group.addTask {
                    try await session.run { connection in
                        try connection.transaction { transaction in
                            let value = try transaction.run([call("SELECT value FROM sum")])[0][0].int64(0)
                            try transaction.commit([
                                call("UPDATE sum SET value = $1::bigint", .bigint) { $0.add(value + 1) }
                            ])
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await session.run([call("SELECT value FROM sum")])[0][0].int64(0) == 20)
        await session.close()
    }

    @Test func `What waits at the end is done, and what comes later is refused`() async throws {
        let session = try session(TestPostgres.shared().database())
        let answer = Task { try await session.run([call("SELECT 7::bigint FROM pg_sleep(0.05)")]) }
        try await eventually { session.statistics.isConnected }
        await session.close()
        #expect(try await answer.value[0][0].int64(0) == 7)
        let error = await #expect(throws: PostgresError.self) { try await session.run([]) }
        #expect(error?.kind == .closed)
    }

    @Test func `Where no server is, requests are refused once their patience is over`() async throws {
        let dead = DeadPort()
        let session = try session(dead.url, patienceMilliseconds: 100)
        let error = await #expect(throws: PostgresError.self) { try await session.run([next(1)]) }
        #expect(error?.kind == .unavailable && error?.message.contains("refused") == true)
        #expect(session.statistics.connectFailure?.kind == .unavailable)
        let last = Task { try await session.run([next(1)]) }
        await session.close()
        await #expect(throws: PostgresError.self) { try await last.value }
    }

    @Test func `Whoever leaves a transaction open loses the connection`() async throws {
        let session = try session(TestPostgres.shared().database())
        try await session.run { connection in _ = try connection.run([call("BEGIN")]) }
        try await session.run([next(1)])
        #expect(session.statistics.connections == 2)
        await session.close()
    }

    @Test func `A listener hears what others say, and rings when it begins`() async throws {
        let url = try TestPostgres.shared().database()
        let (events, continuation) = AsyncStream<Listener.Event>.makeStream()
        let listener = try Listener(
            settings(url), channels: ["renga", "other"], random: SeededRandom(seed: 1)
        ) {
            continuation.yield($0)
        }
        var heard = events.makeAsyncIterator()
        #expect(await heard.next() == .connected)
        let speaker = try connect(to: url)
        try speaker.run([call("SELECT pg_notify('renga', '17')"), call("SELECT pg_notify('unheard', '')")])
        try speaker.run([call("NOTIFY other, 'é'")])
        #expect(await heard.next() == .heard(Notification(channel: "renga", payload: "17")))
        #expect(await heard.next() == .heard(Notification(channel: "other", payload: "é")))
        try speaker.run([
            call("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        ])
        guard case .lost = await heard.next() else {
            return #expect(Bool(false), "it was not told of the loss")
        }
        #expect(await heard.next() == .connected)
        await listener.close()
    }

    @Test func `What runs is cancelled from another thread, and the connection goes on`() async throws {
        let url = try TestPostgres.shared().database()
        let session = try session(url)
        let (canceller, process) = try await session.run { connection in
            (connection.canceller(), Int64(connection.serverProcess))
        }
        let slow = Task { try await session.run([call("SELECT pg_sleep(60)")]) }
        let running = call(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = $1::bigint AND wait_event = 'PgSleep'", .bigint
        ) { $0.add(process) }
        let other = try connect(to: url)
        try await eventually { try other.run([running])[0][0].int64(0) == 1 }
        #expect(canceller?.cancel() == true)
        let error = await #expect(throws: PostgresError.self) { try await slow.value }
        #expect(error?.kind == .refused && error?.state == "57014")
        try await session.run([next(1)])
        #expect(session.statistics.connections == 1)
        await session.close()
    }
}
