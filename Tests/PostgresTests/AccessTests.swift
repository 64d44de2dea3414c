import Postgres
import RawServer
import TestPostgres
import TestSupport
import Testing

/// Which connections a server takes, and which servers renga takes.
@Suite(.onThread) struct AccessTests {
    private static let secret = "s3cret-w0rd"

    private func role(_ name: String, _ rest: String) throws {
        try connect(to: TestPostgres.shared().url()).execute(script: "CREATE ROLE \(name) LOGIN \(rest)")
    }

    @Test func `A password lets in, and shows nowhere`() async throws {
        let server = try TestPostgres.shared()
        try role("secretive", "PASSWORD '\(Self.secret)'")
        let place = "127.0.0.1:\(server.port)/postgres"
        let url = "postgres://secretive:\(Self.secret)@\(place)"
        let session = try session(url)
        #expect(try await session.run([call("SELECT current_user::text")])[0][0].text(0) == "secretive")
        let given = try ConnectionSettings(
            url: "postgres://secretive@\(place)", from: .flag, password: Password(Self.secret))
        let connection = try Connection.open(given)
        let wrong = try ConnectionSettings(
            url: "postgres://secretive@\(place)", from: .flag, password: Password(Self.secret + "?"))
        let error = caught { try Connection.open(wrong) }
        #expect(error?.kind == .refused && error?.state == "28P01")
        // A server that says it after us.
        let said = caught { try connection.run([call("SELECT 1 FROM \"\(Self.secret)\"")]) }
        #expect(said?.kind == .wrongSchema)
        for value in [session, session.statistics, given, connection, error, said] as [Any?] {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(String(describing: value))", String(reflecting: value), dumped] {
                #expect(!text.contains(Self.secret))
            }
        }
        await session.close()
    }

    @Test func `Who is let in neither now nor later is told so, and who comes too early is not`() throws {
        let server = try TestPostgres.shared()
        try role("limited", "CONNECTION LIMIT 0")
        func error(_ user: String, _ database: String) -> PostgresError? {
            caught { try connect(to: "postgres://\(user)@127.0.0.1:\(server.port)/\(database)") }
        }
        #expect(error("limited", "postgres")?.kind == .unavailable)
        #expect(error("limited", "postgres")?.state == "53300")
        #expect(
            error("postgres", "nowhere")?.kind == .refused && error("postgres", "nowhere")?.state == "3D000")
        #expect(error("nobody", "postgres")?.kind == .refused)
    }

    @Test func `A server's certificate must be the one that is trusted, and its own`() throws {
        let server = try TestPostgres.shared()
        let other = try TLSServer()
        func isTaken(_ mode: String, _ certificate: String, host: String = "127.0.0.1") throws -> Bool {
            let url =
                "postgres://postgres@\(host):\(server.port)/postgres?sslmode=\(mode)&sslrootcert=\(certificate)"
            do {
                let connection = try connect(to: url)
                let isEncrypted = call("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                #expect(try connection.run([isEncrypted])[0][0].bool(0))
                return true
            } catch let error as PostgresError {
                #expect(error.kind == .unavailable && error.message.contains("certificate"))
                return false
            }
        }
        #expect(try isTaken("verify-full", server.certificate))
        #expect(try !isTaken("verify-full", other.certificate))
        #expect(try !isTaken("verify-ca", other.certificate))
        #expect(try isTaken("verify-ca", server.certificate, host: "localhost"))
        #expect(try !isTaken("verify-full", server.certificate, host: "localhost"))
        #expect(try !isTaken("verify-full", "/nowhere.pem"))
    }
}
