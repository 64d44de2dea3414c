import Postgres
import TestPostgres
import TestSupport
import Testing

@Suite(.onThread) struct TransactionTests {
    private func counter() throws -> (url: String, connection: Connection) {
        let url = try TestPostgres.shared().database()
        let connection = try connect(to: url)
        try connection.execute(script: "CREATE TABLE counter (value bigint); INSERT INTO counter VALUES (0)")
        return (url, connection)
    }

    private let add = call("UPDATE counter SET value = value + 1")
    private let look = call("SELECT value FROM counter")

    private func value(_ connection: Connection) throws -> Int64 { try connection.run([look])[0][0].int64(0) }

    @Test func `Two round trips read and write, BEGIN and COMMIT included`() throws {
        let (_, connection) = try counter()
        // The first prepares BEGIN and COMMIT, in the same trips.
        for round in 1...2 {
            let before = connection.trips
            try connection.transaction { transaction in
                let seen = try transaction.run([look])[0][0].int64(0)
                let rows = try transaction.commit([add])[0]
                #expect(seen == Int64(round - 1) && rows.touched == 1)
            }
            #expect(connection.trips == before + 2)
        }
        #expect(try value(connection) == 2)
    }

    @Test func `One that does not commit itself is committed`() throws {
        let (_, connection) = try counter()
        try connection.transaction { try $0.run([add]) }
        #expect(try value(connection) == 1)
    }

    @Test func `What throws is undone, and the connection goes on`() throws {
        struct Mine: Error {}
        let (_, connection) = try counter()
        #expect(throws: Mine.self) {
            try connection.transaction { transaction in
                try transaction.run([add])
                throw Mine()
            }
        }
        #expect(kind { try connection.transaction { try $0.commit([add, call("SELECT 1/0")]) } } == .refused)
        #expect(kind { try connection.transaction { try $0.run([add, call("SELECT 1/0")]) } } == .refused)
        #expect(try value(connection) == 0)
    }

    @Test func `After an error that was swallowed nothing is committed`() throws {
        let (_, connection) = try counter()
        let error = caught {
            try connection.transaction { transaction in
                try transaction.run([add])
                _ = try? transaction.run([call("SELECT 1/0")])
                try transaction.commit()
            }
        }
        #expect(error?.kind == .refused)
        #expect(try value(connection) == 0 && connection.isUsable)
    }

    @Test func `A lock that is not to be had, and a deadlock, are to be done again`() async throws {
        let (url, connection) = try counter()
        let other = try connect(to: url)
        try connection.transaction { transaction in
            try transaction.run([call("SELECT value FROM counter FOR UPDATE")])
            let error = caught {
                try other.transaction { try $0.run([call("SELECT value FROM counter FOR UPDATE NOWAIT")]) }
            }
            #expect(error?.kind == .again && error?.state == "55P03")
        }
        #expect(try value(other) == 0)
        let failures = try await deadlock(url)
        #expect(failures.count == 1 && failures.first?.kind == .again && failures.first?.state == "40P01")
    }

    /// Two transactions that take two locks crosswise; each waits before its second until both have their first.
    private func deadlock(_ url: String) async throws -> [PostgresError] {
        func run(_ first: Int, _ second: Int) async throws -> PostgresError? {
            try await onThread {
                let connection = try Connection.open(settings(url))
                return caught {
                    try connection.transaction { transaction in
                        try transaction.run([call("SELECT pg_advisory_xact_lock(\(first))")])
                        let both = call(
                            "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory'")
                        while try transaction.run([both])[0][0].int64(0) < 2 {}
                        try transaction.run([call("SELECT pg_advisory_xact_lock(\(second))")])
                    }
                }
            }
        }
        async let one = run(1, 2)
        async let two = run(2, 1)
        return try await [one, two].compactMap { $0 }
    }

    @Test func `A warning while it commits leaves its outcome unknown`() throws {
        let (_, connection) = try counter()
        try connection.execute(
            script: """
                CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE WARNING 'committed locally'; RETURN NULL; END $$;
                CREATE CONSTRAINT TRIGGER warns AFTER UPDATE ON counter DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION warn();
                """)
        let error = caught { try connection.transaction { try $0.commit([add]) } }
        #expect(error?.kind == .unknownOutcome && error?.message.contains("committed locally") == true)
        #expect(!connection.isUsable && connection.warnings == ["committed locally"])
    }

    @Test func `A warning at the end of a batch leaves it unknown too, and one before a commit does not`()
        throws
    {
        let (url, connection) = try counter()
        let warn = "DO $$ BEGIN RAISE WARNING 'careful'; END $$"
        try connection.transaction { transaction in
            try transaction.run([call(warn)])
            try transaction.commit([add])
        }
        #expect(try value(connection) == 1 && connection.warnings == ["careful"])
        #expect(kind { try connection.run([call(warn)]) } == .unknownOutcome)
        let second = try connect(to: url)
        #expect(kind { try second.execute(script: warn) } == .unknownOutcome && !second.isUsable)
    }

    @Test func `Warnings come through if the role wants none`() throws {
        let (url, _) = try counter()
        let connection = try Postgres.Connection.open(
            settings(url + "?options=-c%20client_min_messages%3Derror"))
        #expect(
            kind { try connection.run([call("DO $$ BEGIN RAISE WARNING 'heard'; END $$")]) }
                == .unknownOutcome)
    }

    @Test func `What does not write is told from what failed`() throws {
        let (_, connection) = try counter()
        try connection.execute(script: "SET default_transaction_read_only = on")
        let error = caught { try connection.run([add]) }
        #expect(error?.kind == .readOnly && error?.state == "25006" && !connection.isUsable)
    }
}
