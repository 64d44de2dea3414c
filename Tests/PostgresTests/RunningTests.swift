import Postgres
import TestPostgres
import TestSupport
import Testing

@Suite(.onThread) struct RunningTests {
    private func table(_ connection: Connection) throws {
        try connection.execute(
            script: """
                CREATE TABLE item (id bigint PRIMARY KEY, name text);
                CREATE TABLE part (item_id bigint REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED);
                INSERT INTO item VALUES (1, 'one');
                """)
    }

    private static let insert = Statement("insert", "INSERT INTO item (id) VALUES ($1::bigint)", .bigint)
    private static let count = Statement("count", "SELECT count(*) FROM item")
    private static let next = Statement("next", "SELECT $1::bigint + 1", .bigint)

    private func insert(_ id: Int64) -> Call {
        var arguments = Arguments()
        arguments.add(id)
        return Call(Self.insert, arguments)
    }

    private func count(_ connection: Connection) throws -> Int64 {
        try connection.run([Call(Self.count)])[0][0].int64(0)
    }

    @Test func `A hundred statements take one round trip, preparing included`() throws {
        let connection = try freshConnection()
        let before = connection.trips
        let rows = try connection.run(
            (0..<100).map { number in
                var arguments = Arguments()
                arguments.add(Int64(number))
                return Call(Self.next, arguments)
            })
        #expect(try rows.map { try $0[0].int64(0) } == (1...100).map(Int64.init))
        #expect(connection.trips == before + 1)
    }

    @Test func `More than both sides' buffers hold goes through`() throws {
        let connection = try freshConnection()
        let blob = [UInt8](repeating: 7, count: 1 << 20)
        let rows = try connection.run(
            (0..<20).map { _ in call("SELECT $1::bytea", .bytea) { $0.add(blob) } })
        #expect(try rows.allSatisfy { try $0[0].bytes(0) == blob })
    }

    @Test func `An error undoes what stood before it, skips the rest, and spares other batches`() throws {
        let connection = try freshConnection()
        try table(connection)
        let outcomes = connection.run(batches: [
            Batch([insert(2)]), Batch([insert(3), insert(1), insert(4)]), Batch([insert(5)]),
            Batch([call("SELECT id FROM item WHERE id = 5")]),
        ])
        #expect(try outcomes[3].get().first?.first?.int64(0) == 5)
        let error = caught { _ = try outcomes[1].get() }
        #expect(error?.kind == .refused && error?.state == "23505" && error?.constraint == "item_pkey")
        #expect(error?.statement == "insert")
        #expect(try count(connection) == 3 && connection.isUsable)
    }

    @Test func `A statement that cannot be prepared fails its own batch, each time`() throws {
        let connection = try freshConnection()
        let wrong = Statement("wrong", "SELECT nothing FROM nowhere")
        for _ in 1...2 {
            let outcomes = connection.run(batches: [Batch([Call(wrong)]), Batch([call("SELECT 1::bigint")])])
            #expect(try outcomes[1].get()[0][0].int64(0) == 1)
            let error = caught { _ = try outcomes[0].get() }
            #expect(error?.kind == .wrongSchema && error?.state == "42P01" && error?.statement == "wrong")
        }
        let column = Statement("column", "SELECT nothing FROM pg_class")
        #expect(kind { try connection.run([Call(column)]) } == .wrongSchema)
    }

    @Test func `A constraint that is checked at the commit fails its batch`() throws {
        let connection = try freshConnection()
        try table(connection)
        let orphan = call("INSERT INTO part VALUES (9)")
        let outcomes = connection.run(batches: [Batch([orphan]), Batch([insert(2)])])
        #expect(caught { _ = try outcomes[0].get() }?.state == "23503")
        #expect(try outcomes[1].get().count == 1 && connection.isUsable)
        let late = caught { try connection.transaction { try $0.commit([orphan]) } }
        #expect(late?.state == "23503" && connection.isUsable)
    }

    @Test func `A statement that the server has forgotten is prepared again`() throws {
        let connection = try freshConnection()
        try table(connection)
        #expect(try count(connection) == 1)
        try connection.execute(script: "DEALLOCATE ALL")
        #expect(try count(connection) == 1)
        try connection.execute(script: "DEALLOCATE ALL")
        let error = caught { try connection.transaction { try $0.commit([Call(Self.count)]) } }
        #expect(error?.kind == .again && error?.state == "26000")
        #expect(try count(connection) == 1)
    }

    @Test func `A script runs as one, and its error leaves the connection usable`() throws {
        let connection = try freshConnection()
        try table(connection)
        let error = caught {
            try connection.execute(script: "INSERT INTO item VALUES (2); SELECT 1/0; SELECT 2")
        }
        #expect(error?.kind == .refused && error?.state == "22012")
        #expect(try count(connection) == 1)
    }

    @Test func `No statements are no answers`() throws {
        let connection = try freshConnection()
        #expect(try connection.run([]).isEmpty && connection.isUsable)
        #expect(connection.run(batches: []).isEmpty)
    }

    @Test func `What is copied is no answer, and ends the connection`() throws {
        let connection = try freshConnection()
        #expect(kind { try connection.run([call("COPY pg_class TO STDOUT")]) } == .badAnswer)
        #expect(!connection.isUsable)
        #expect(kind { try connection.run([call("SELECT 1")]) } == .unavailable)
    }

    @Test func `An answer beyond its bytes is cut off`() throws {
        let connection = try freshConnection()
        let much = call("SELECT repeat('x', 1000), generate_series(1, 100000000)")
        #expect(kind { try connection.run([much], limits: TripLimits(bytes: 4 << 20)) } == .badAnswer)
        #expect(!connection.isUsable)
    }

    @Test func `An answer that takes too long leaves its outcome unknown, and the server stops`() async throws
    {
        let url = try TestPostgres.shared().database()
        let connection = try connect(to: url)
        let process = Int64(connection.serverProcess)
        let slow = call("SELECT pg_sleep(60)")
        #expect(kind { try connection.run([slow], limits: TripLimits(milliseconds: 50)) } == .unknownOutcome)
        let other = try connect(to: url)
        let running = call(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = $1::bigint AND state = 'active'", .bigint
        ) { $0.add(process) }
        try await eventually { try other.run([running])[0][0].int64(0) == 0 }
    }

    @Test func `Errors say no values`() throws {
        let connection = try freshConnection()
        for text in [
            "SELECT $1::text::bigint", "SELECT ($1::text)::date", "SELECT ('{' || $1::text)::bigint[]",
        ] {
            let error = caught {
                try connection.run([call(text, .text) { $0.add("confidential" as String?) }])
            }
            #expect(error?.kind == .refused && error.map { !"\($0)".contains("confidential") } == true)
        }
        try table(connection)
        let error = caught {
            try connection.run([call("INSERT INTO item VALUES ($1::bigint)", .bigint) { $0.add(1 as Int64?) }]
            )
        }
        #expect(error.map { "\($0)" }?.contains("(1)") == false)
    }
}
