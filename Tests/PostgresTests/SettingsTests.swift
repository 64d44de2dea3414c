import TestSupport
import Testing

@testable import Postgres

@Suite(.onThread) struct SettingsTests {
    private func read(_ url: String, from origin: ConnectionSettings.Origin = .environment) throws -> [String:
        String]
    {
        let settings = try ConnectionSettings(url: url, from: origin)
        return settings.forLibrary(settings.hosts[0]).compactMapValues { $0 }
    }

    @Test func `A URL names several hosts, ports, user, database and parameters`() throws {
        let settings = try ConnectionSettings(
            url:
                "postgresql://jo%40x@a:1,b,[::1]:3,%2Ftmp%2Fpg/da%20ta?sslmode=verify-full&sslrootcert=/ca.pem",
            from: .flag)
        #expect(settings.hosts.map(\.name) == ["a", "b", "::1", "/tmp/pg"])
        #expect(settings.hosts.map(\.port) == [1, 5432, 3, 5432])
        #expect(settings.user == "jo@x" && settings.database == "da ta")
        #expect(settings.description == "postgres://jo@x@a:1,b:5432,[::1]:3,%2Ftmp%2Fpg:5432/da ta")
        let pairs = settings.forLibrary(settings.hosts[2])
        #expect(pairs["host"] == "::1" && pairs["port"] == "3" && pairs["sslmode"] == "verify-full")
    }

    @Test func `Every timeout is set, and a URL may set it otherwise`() throws {
        let pairs = try read("postgres://h/d")
        #expect(pairs["tcp_user_timeout"] == "10000" && pairs["keepalives_idle"] == "10")
        #expect(pairs["target_session_attrs"] == "read-write" && pairs["application_name"] == "renga")
        #expect(
            pairs["client_encoding"] == "UTF8" && pairs["connect_timeout"] == nil,
            "the door keeps that one itself")
        #expect(
            try ConnectionSettings(url: "postgres://h/d", from: .flag).connectTimeoutMilliseconds == 2_000)
        let others = try read("postgres://h/d?tcp_user_timeout=2000&application_name=me")
        #expect(others["tcp_user_timeout"] == "2000" && others["application_name"] == "me")
        let slow = try ConnectionSettings(url: "postgres://h/d?connect_timeout=9", from: .flag)
        #expect(slow.connectTimeoutMilliseconds == 9_000)
    }

    @Test func `Without a host it is the local socket, and parameters may name hosts`() throws {
        let socket = try read("postgres:///d")
        #expect(socket["host"] == nil && socket["dbname"] == "d")
        let settings = try ConnectionSettings(
            url: "postgres:///d?host=/run/a,/run/b&port=1,2&user=u", from: .flag)
        #expect(settings.hosts.map(\.description) == ["/run/a:1", "/run/b:2"] && settings.user == "u")
    }

    @Test(arguments: [
        "mysql://h/d", "postgres://u:pa/ss@h/d", "postgres://u:p@ss@h/d", "postgres://h:port/d",
        "postgres://h:0/d",
        "postgres://h/d?sslmode=maybe", "postgres://h/d?target_session_attrs=any",
        "postgres://h/d?connect_timeout=0",
        "postgres://h/d?pool=1", "postgres://h/d?sslmode",
        "postgres://h/%zz", "postgres://h/%00",
        "postgres://h/%+1",
        "postgres://h/%ff",
        "postgres://a,b/d?port=1,2,3", "postgres://[::1/d", "postgres://[::1]x/d",
        "postgres://a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q/d",
    ])
    func `What cannot be used is refused, without a word of it`(url: String) {
        let error = caught { try ConnectionSettings(url: url, from: .environment) }
        #expect(error?.kind == .badSettings)
        for word in ["pa/ss", "p@ss", ":pa", "port/d", "zz"] {
            #expect(error?.message.contains(word) == false)
        }
    }

    @Test(arguments: [
        "postgres://u:s3cret@h/d", "postgres://u@h/d?password=s3cret",
        "postgres://:s3cret@h/d?sslmode=require",
    ])
    func `A password in a flag is refused with what to do`(url: String) throws {
        let error = try #require(caught { try ConnectionSettings(url: url, from: .flag) })
        #expect(error.kind == .badSettings && !error.description.contains("s3cret"))
        for name in ["RENGA_DATABASE_PASSWORD", "RENGA_DATABASE_PASSWORD_FILE", "PGPASSFILE"] {
            #expect(error.message.contains(name))
        }
        #expect(throws: Never.self) { try ConnectionSettings(url: url, from: .environment) }
    }

    @Test func `A password shows nowhere`() throws {
        let settings = try ConnectionSettings(url: "postgres://u:s3cret@h/d", from: .environment)
        let other = try ConnectionSettings(
            url: "postgres://u:s3cret@h/d", from: .environment, password: Password("other-s3cret"))
        for value in [settings, other] {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] { #expect(!text.contains("s3cret")) }
        }
        let password = try Password("s3cret")
        #expect("\(password) \([password]) \(String(reflecting: password))".contains("s3cret") == false)
        #expect(Mirror(reflecting: password).children.isEmpty)
        #expect(kind { try Password("") } == .badSettings && kind { try Password("a\0b") } == .badSettings)
        let text = ServerText(hiding: password)
        #expect(text.clean("no entry for \"s3cret\"\n of user") == "no entry for \"(hidden)\" of user")
    }

    @Test func `What a server says becomes a short line`() {
        let text = ServerText(hiding: nil)
        #expect(text.clean("a\u{1B}[31m\n\tb") == "a [31m b")
        #expect(text.clean(String(repeating: "x", count: 5_000)).count == 601)
    }

    @Test func `A library that is missing or too old names its package`() {
        let missing = caught { _ = try Library.load("libnothing.so.9").get() }
        #expect(
            missing?.kind == .missingLibrary && missing?.message.contains("apt-get install -y libpq5") == true
        )
        let wrong = caught { _ = try Library.load("libm.so.6").get() }
        #expect(
            wrong?.kind == .missingLibrary && wrong?.message.contains("lacks PQconnectStartParams") == true)
    }

    @Test(arguments: [
        ("40001", "again", "again"), ("40P01", "again", "again"), ("55P03", "again", "again"),
        ("08006", "unknownOutcome", "again"), ("57P01", "unknownOutcome", "again"),
        ("57P02", "unknownOutcome", "again"), ("57P03", "unknownOutcome", "again"),
        ("", "unknownOutcome", "again"),
        ("53100", "full", "full"), ("53300", "unavailable", "unavailable"),
        ("42P01", "wrongSchema", "wrongSchema"),
        ("42703", "wrongSchema", "wrongSchema"), ("25006", "readOnly", "readOnly"),
        ("23505", "refused", "refused"),
        ("57014", "refused", "refused"),
    ])
    func `Errors are sorted by what a caller may do`(state: String, committing: String, before: String) {
        #expect(PostgresError.Kind(state: state, mayHaveCommitted: true).rawValue == committing)
        #expect(PostgresError.Kind(state: state, mayHaveCommitted: false).rawValue == before)
        let isLoss = committing == "unknownOutcome"
        let alive = PostgresError.Kind(state: state, mayHaveCommitted: nil).rawValue
        #expect(alive == (isLoss ? "refused" : before))
    }

    @Test(arguments: [
        (150_000, "PostgreSQL 15.20 (Debian)", true), (130_000, "PostgreSQL 13.0", true),
        (120_022, "PostgreSQL 12.22", false), (130_000, "CockroachDB CCL v24.1.0", false),
        (150_000, "PostgreSQL 15.2-YB-2.25.0.0-b0", false),
    ])
    func `Servers that keep other promises are refused`(version: Int, words: String, isTaken: Bool) {
        #expect((Identity.refusal(version: version, words: words) == nil) == isTaken)
    }

    @Test func `Waits grow to a second, and each is any part of its bound`() {
        var (random, backoff) = (SmallRandom(), Backoff())
        var longest: Int64 = 0
        for bound: Int64 in [20, 40, 80, 160, 320, 640, 1_000, 1_000] {
            let wait = backoff.next(using: &random)
            #expect(0...bound ~= wait)
            longest = max(longest, wait)
        }
        #expect(longest > 20)
        backoff.reset()
        #expect(backoff.next(using: &random) <= 20)
    }

    private struct SmallRandom: RandomNumberGenerator {
        var state: UInt64 = 1
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return state
        }
    }

    @Test(
        arguments: [
            [], [0, 0, 0, 1], [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 127, 255, 255, 255, 0, 0, 0, 1],
            [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 1, 127, 255, 255, 255],
            [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 1, 255, 255, 255, 254],
            [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 255, 255, 255, 255, 0, 0, 0, 1],
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 1], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25],
            [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 1],
            [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1],
        ] as [[UInt8]])
    func `Bytes that are no array of numbers are none`(bytes: [UInt8]) {
        let elements = bytes.withUnsafeBytes { bytes in
            var reader = ArrayReader<Int64>(bytes)
            return reader.elements()
        }
        #expect(elements == nil)
    }
}
