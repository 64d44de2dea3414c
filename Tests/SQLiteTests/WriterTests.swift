import Dispatch
import SQLite
import Synchronization
import Testing

struct WriterTests {
    let directory = TemporaryDirectory()

    private struct Refused: Error, Equatable { var number = 0 }

    private func writer(_ hooks: WriterHooks = WriterHooks()) async throws -> Writer {
        let writer = try Writer(path: directory.database, hooks: hooks)
        try await writer.write {
            try $0.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER UNIQUE) STRICT")
        }
        return writer
    }

    /// Holds the writer's thread up while the closure submits, so that what it submits waits together.
    private func together(_ writer: Writer, _ submit: () -> Void) {
        let gate = DispatchSemaphore(value: 0)
        writer.submit(
            { _ in
                gate.wait()
                // Open for good: an operation may run again.
                gate.signal()
            }, completion: { _ in })
        submit()
        gate.signal()
    }

    private func values() throws -> [Int] {
        try Connection(path: directory.database).query("SELECT v FROM t ORDER BY v") { $0.int(0) }
    }

    @Test func `what was acknowledged is seen by another connection`() async throws {
        let writer = try await writer()
        let id = try await writer.write { connection in
            try connection.run("INSERT INTO t (v) VALUES (5)")
            return connection.lastInsertRowID
        }
        #expect(id == 1)
        #expect(try values() == [5])
    }

    @Test func `operations that wait together share transactions`() async throws {
        let writer = try await writer()
        together(writer) {
            for number in 0..<1_000 {
                writer.submit(
                    { try $0.run("INSERT INTO t (v) VALUES (?1)", [.integer(number)]) }, completion: { _ in })
            }
        }
        await writer.close()
        #expect(writer.statistics.operations == 1_002)
        #expect(writer.statistics.transactions <= 20)
        #expect(try values() == Array(0..<1_000))
    }

    @Test(arguments: [false, true])
    func `an operation that throws is undone alone`(afterWriting: Bool) async throws {
        let writer = try await writer()
        let outcomes = Mutex<[Int: Bool]>([:])
        together(writer) {
            for number in 0..<20 {
                writer.submit(
                    { connection in
                        if afterWriting {
                            try connection.run("INSERT INTO t (v) VALUES (?1)", [.integer(number)])
                        }
                        if number % 5 == 0 { throw Refused(number: number) }
                        if !afterWriting {
                            try connection.run("INSERT INTO t (v) VALUES (?1)", [.integer(number)])
                        }
                    },
                    completion: { result in
                        let succeeded = if case .success = result { true } else { false }
                        outcomes.withLock { $0[number] = succeeded }
                    })
            }
        }
        await writer.close()
        let expected = Array(0..<20).filter { $0 % 5 != 0 }
        #expect(try values() == expected)
        #expect(outcomes.withLock { $0.filter(\.value).keys.sorted() } == expected)
        #expect(outcomes.withLock { $0.count } == 20)
    }

    @Test func `the caller gets what its operation threw`() async throws {
        let writer = try await writer()
        await #expect(throws: Refused(number: 3)) { try await writer.write { _ in throw Refused(number: 3) } }
        let error = await #expect(throws: SQLiteError.self) {
            try await writer.write { try $0.run("INSERT INTO t (v) VALUES (1), (1)") }
        }
        #expect(error?.code == SQLiteError.constraintUnique)
    }

    @Test func `a transaction that fails is tried again operation by operation`() async throws {
        // The commit hook refuses any transaction that holds the value 13.
        let hooks = WriterHooks(beforeCommit: { connection in
            guard try connection.exists("SELECT 1 FROM sqlite_schema WHERE name = 't'") else { return }
            guard try connection.exists("SELECT 1 FROM t WHERE v = 13") else { return }
            throw Refused(number: 13)
        })
        let writer = try await writer(hooks)
        let failed = Mutex<[Int]>([])
        together(writer) {
            for number in 10..<20 {
                writer.submit(
                    { try $0.run("INSERT INTO t (v) VALUES (?1)", [.integer(number)]) },
                    completion: { if case .failure = $0 { failed.withLock { $0.append(number) } } })
            }
        }
        await writer.close()
        #expect(failed.withLock { $0 } == [13])
        #expect(try values() == [10, 11, 12, 14, 15, 16, 17, 18, 19])
    }

    @Test func `a full database refuses what does not fit and keeps serving the rest`() async throws {
        let writer = try await writer()
        try await writer.write {
            try $0.execute("CREATE TABLE big (b BLOB) STRICT; PRAGMA max_page_count = 200")
        }
        let refused = Mutex<[Int32]>([])
        together(writer) {
            for number in 0..<30 {
                let size = number == 7 ? 2_000_000 : 100
                writer.submit(
                    { try $0.run("INSERT INTO big (b) VALUES (zeroblob(?1))", [.integer(size)]) },
                    completion: { result in
                        guard case .failure(let error) = result else { return }
                        refused.withLock { $0.append((error as? SQLiteError)?.code ?? 0) }
                    })
            }
        }
        #expect(try await writer.write { try $0.count("big") } == 29)
        #expect(refused.withLock { $0 } == [SQLiteError.full])
        await writer.close()
    }

    @Test func `hooks let counters gathered in memory follow what stands`() async throws {
        struct Tally { var total = 0, mark = 0, written = 0 }
        let tally = Mutex(Tally())
        let hooks = WriterHooks(
            operationBegins: { tally.withLock { $0.mark = $0.total } },
            operationUndone: { tally.withLock { $0.total = $0.mark } },
            committed: { tally.withLock { ($0.written, $0.total) = ($0.written + $0.total, 0) } },
            transactionUndone: { tally.withLock { $0.total = 0 } })
        let writer = try await writer(hooks)
        together(writer) {
            for number in 0..<50 {
                writer.submit(
                    { connection in
                        try connection.run("INSERT INTO t (v) VALUES (?1)", [.integer(number)])
                        tally.withLock { $0.total += 1 }
                        if number % 7 == 0 { throw Refused() }
                    }, completion: { _ in })
            }
        }
        await writer.close()
        #expect(tally.withLock { $0.written } == (try values().count))
    }

    @Test(arguments: ["COMMIT", "ROLLBACK"])
    func `an operation that ends the transaction is refused, and its neighbours run once`(end: String)
        async throws
    {
        let writer = try await writer()
        try await writer.write { try $0.execute("CREATE TABLE log (n INTEGER) STRICT") }
        let failed = Mutex<[Int]>([])
        together(writer) {
            for number in 0..<6 {
                writer.submit(
                    { connection in
                        try connection.run("INSERT INTO log VALUES (?1)", [.integer(number)])
                        if number == 3 { try connection.run(SQL(end)) }
                    },
                    completion: { if case .failure = $0 { failed.withLock { $0.append(number) } } })
            }
        }
        await writer.close()
        #expect(failed.withLock { $0 } == [3])
        let rows = try Connection(path: directory.database).query("SELECT n FROM log ORDER BY n") {
            $0.int(0)
        }
        #expect(rows == [0, 1, 2, 4, 5])
    }

    @Test func `a closed writer has done all it was handed, and refuses more`() async throws {
        let writer = try await writer()
        for number in 0..<100 {
            writer.submit(
                { try $0.run("INSERT INTO t (v) VALUES (?1)", [.integer(number)]) }, completion: { _ in })
        }
        await writer.close()
        #expect(try values().count == 100)
        let error = await #expect(throws: SQLiteError.self) { try await writer.write { _ in } }
        #expect(error?.code == SQLiteError.closed)
        await writer.close()
    }

    @Test func `a full mailbox refuses at once`() async throws {
        let writer = try await writer()
        let refused = Atomic(0)
        together(writer) {
            for _ in 0..<(Writer.mailboxLimit + 2 * Writer.groupLimit) {
                writer.submit(
                    { _ in },
                    completion: { result in
                        if case .failure(let error) = result,
                            (error as? SQLiteError)?.code == SQLiteError.overloaded
                        {
                            refused.add(1, ordering: .relaxed)
                        }
                    })
            }
        }
        await writer.close()
        #expect(refused.load(ordering: .relaxed) >= Writer.groupLimit)
    }

    @Test func `a cancelled caller's operation is done all the same`() async throws {
        let writer = try await writer()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await writer.write { try $0.run("INSERT INTO t (v) VALUES (1)") }
        }
        #expect(try await task.value == 1)
        #expect(try values() == [1])
    }
}
