import Foundation
import HTTPClient
import Jobs
import Models
import Telemetry
import Testing

@testable import renga

@Suite struct SettingsTests {
    private func invoke(_ words: [String] = [], _ environment: [String: String] = [:]) throws -> Invocation {
        try Parser.parse(words, for: .up, environment: { environment[$0] })
    }

    private func reason(_ environment: [String: String]) -> String {
        let error = #expect(throws: UsageError.self) { _ = try ServiceSettings(invoke([], environment)) }
        return error?.message ?? ""
    }

    @Test func `without any setting everything has its documented default`() throws {
        let settings = try ServiceSettings(invoke())
        #expect(settings.configuration.providers.map(\.baseURLs) == [["https://api.anthropic.com"]])
        #expect(settings.configuration.model == "claude-haiku-4-5-20251001")
        #expect(settings.database.name == "./renga.db")
        #expect(settings.listen == ListenAddress("127.0.0.1:8080"))
        #expect(settings.concurrency == 40 && settings.maxAttempts == 4 && settings.maxTokens == 1024)
        #expect(settings.lease == 30_000 && settings.shutdownTimeout == 30_000)
        #expect(settings.retry == RetryPolicy(base: 1000, cap: 60_000))
        #expect(settings.configuration.table.routes.isEmpty)
        #expect(settings.cacheTTL == 30 * 86_400_000 && settings.retention == 30 * 86_400_000)
    }

    @Test(arguments: [
        "https://h.example", "https://h.example/", "https://h.example/v1", "https://h.example/v1/",
        "https://H.example//v1/messages", "https://h.example/v1/messages/", "https://h.example/v1/v1",
    ])
    func `a base URL with what calls add to it means the same`(address: String) throws {
        #expect(WebAddress.messagesBase(address) == "https://h.example")
        let settings = try ServiceSettings(invoke([], ["ANTHROPIC_BASE_URL": address]))
        #expect(settings.configuration.providers.map(\.baseURLs) == [["https://h.example"]])
    }

    @Test(
        arguments: [
            ("https://h.example/relay/v1", "https://h.example/relay"),
            ("https://h.example/v1x", "https://h.example/v1x"),
            ("ftp://h.example", nil), ("https://h.example/v1?x=1", nil), ("https://h.example:0", nil),
            ("https://h.example:99999", nil), ("https://h.example:", nil), ("http://[::1]", "http://[::1]"),
            ("http://[::1]:8443/v1", "http://[::1]:8443"),
        ] as [(String, String?)])
    func `a path of the server's own stays`(address: String, base: String?) {
        #expect(WebAddress.messagesBase(address) == base)
    }

    @Test(arguments: [
        ("https://api.openai.com", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1"),
        ("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1"), ("http://h/openai", "http://h/openai"),
    ])
    func `a base URL of chat completions ends where calls begin`(address: String, base: String) {
        #expect(WebAddress.chatBase(address) == base)
    }

    @Test func `silence in an answer is borne longer than providers' pings are apart`() throws {
        let timeouts = try ServiceSettings(invoke()).timeouts
        #expect(timeouts.idle == 120_000 && timeouts.call == 3_600_000)
    }

    @Test func `authorities are named by renga's own setting, else as curl takes them`() throws {
        let folder = try Folder()
        try folder.write("ca.pem", ["-----BEGIN CERTIFICATE-----"])
        let path = folder.url.appending(path: "ca.pem").path
        var environment = ["SSL_CERT_FILE": "/b"]
        #expect(try invoke([], environment).authorities() == Authorities(file: "/b"))
        environment["CURL_CA_BUNDLE"] = "/a"
        environment["SSL_CERT_DIR"] = "/d"
        #expect(try invoke([], environment).authorities() == Authorities(file: "/a", folder: "/d"))
        environment["RENGA_CA_FILE"] = path
        #expect(try invoke([], environment).authorities() == Authorities(file: path, folder: "/d"))
        #expect(try invoke().authorities() == .standard)
        try folder.write("no.pem", ["nothing"])
        let other = folder.url.appending(path: "no.pem").path
        #expect(reason(["RENGA_CA_FILE": other]).contains("PEM"))
        #expect(
            reason(["RENGA_CA_FILE": "/nowhere"]).hasPrefix(
                "RENGA_CA_FILE is “/nowhere”; expected a readable"))
    }

    @Test func `every default can be read`() throws {
        let invocation = try invoke()
        for setting in Settings.ofServices where setting.standard != nil {
            #expect(invocation.given(setting) == nil)
        }
        _ = try ServiceSettings(invocation)
    }

    @Test(arguments: [
        ("RENGA_LEASE", "soon"), ("RENGA_CONCURRENCY", "0"), ("RENGA_CONCURRENCY", "1e3"),
        ("RENGA_LISTEN", "8080"),
        ("RENGA_LISTEN", "::1:80"), ("PORT", "70000"), ("RENGA_RPM", "0"), ("RENGA_LOG", "loud"),
        ("ANTHROPIC_BASE_URL", "api.anthropic.com"), ("RENGA_CACHE_INTERACTIVE", "yes"),
        ("RENGA_RETENTION", "0"),
        ("RENGA_CORS_ORIGINS", "https://a.example/path"), ("RENGA_FILE_MODE", "0444"),
        ("RENGA_FILE_MODE", "rw"),
        ("RENGA_FILE_MODE", "0777"), ("RENGA_ALLOWED_HOSTS", "a.example:80"),
        ("RENGA_ALLOWED_HOSTS", "http://a"), ("RENGA_DAILY_BUDGET_USD", "five"),
    ])
    func `a wrong value stops the start with its name, the value and what was expected`(
        name: String, value: String
    ) {
        let message = reason([name: value])
        #expect(message.hasPrefix("\(name) is “\(value)”; expected "))
    }

    @Test func `budgets are stated by their variables, and taken back by none`() throws {
        let settings = try ServiceSettings(
            invoke([], ["RENGA_DAILY_BUDGET_USD": "5", "RENGA_MONTHLY_BUDGET_USD": "none"]))
        #expect(settings.budgets.map(\.name) == ["daily"])
        #expect(settings.budgets.first?.window == .day)
        #expect(settings.budgets.first?.limit == Money(dollars: "5"))
        #expect(settings.removedBudgets == ["monthly"])
        #expect(reason(["RENGA_DAILY_BUDGET_USD": "0"]).hasPrefix("RENGA_DAILY_BUDGET_USD is “0”"))
    }

    @Test func `PORT sets the port alone, and a flag counts more than it`() throws {
        #expect(try invoke([], ["PORT": "9000"]).listenAddress() == ListenAddress("127.0.0.1:9000"))
        let both = ["PORT": "9000", "RENGA_LISTEN": "0.0.0.0:8080"]
        #expect(try invoke([], both).listenAddress() == ListenAddress("0.0.0.0:9000"))
        #expect(try invoke(["--listen", "[::1]:7"], both).listenAddress() == ListenAddress("[::1]:7"))
        #expect(
            try invoke(["--listen", "[::1]:7", "--port", "8"], both).listenAddress()
                == ListenAddress("[::1]:8"))
    }

    @Test func `loopback is told from what others can reach`() {
        for text in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"] {
            #expect(ListenAddress(text)?.isLoopback == true, "\(text)")
        }
        for text in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.com:1"] {
            #expect(ListenAddress(text)?.isLoopback == false, "\(text)")
        }
        #expect(ListenAddress("0.0.0.0:80")?.url == "http://127.0.0.1:80")
        #expect(ListenAddress("[::]:80")?.url == "http://[::1]:80")
    }

    @Test func `addresses have one form`() {
        #expect(WebAddress.parse("HTTPS://API.Anthropic.com/") == "https://api.anthropic.com")
        #expect(WebAddress.parse("http://host:1/Path//") == "http://host:1/Path")
        for text in ["http://", "ftp://a", "http://a?b", "http://u@a", "http://a b"] {
            #expect(WebAddress.parse(text) == nil, "\(text)")
        }
    }

    @Test func `limits may be stated, or taken back`() throws {
        let stated = try ServiceSettings(invoke([], ["RENGA_RPM": "50", "RENGA_OTPM": "learned"]))
        #expect(stated.configuration.table.routes.map(\.limits) == [RouteLimits(requests: 50)])
    }

    @Test(arguments: ["postgres://u:secret@h:port/db", "postgres://u:secret@h/db?sslmode=perhaps"])
    func `an address of PostgreSQL that cannot be read is refused, and not repeated`(_ address: String) {
        let message = reason(["RENGA_DATABASE": address])
        #expect(message.contains("RENGA_DATABASE cannot be used"))
        #expect(!message.contains("secret"))
    }

    @Test func `a password for the database is taken from the environment or a file, and never from a flag`()
        throws
    {
        let stated = try ServiceSettings(
            invoke([], ["RENGA_DATABASE": "postgres://u:secret@h/db", "ANTHROPIC_API_KEY": "k"]))
        #expect(stated.database.name == "postgres://u@h:5432/db")
        let error = #expect(throws: UsageError.self) {
            _ = try ServiceSettings(invoke(["--database", "postgres://u:secret@h/db"]))
        }
        let message = error?.message ?? ""
        #expect(message.contains("RENGA_DATABASE_PASSWORD_FILE") && !message.contains("secret@"))
    }

    @Test func `a replica for lists is of a server, and its password shows nowhere`() throws {
        let stated = try ServiceSettings(
            invoke(
                [],
                [
                    "RENGA_DATABASE": "postgres://u@h/db", "RENGA_DATABASE_READ": "postgres://u:secret@r/db",
                    "ANTHROPIC_API_KEY": "k",
                ]))
        #expect(
            stated.stated.first { $0.name == "RENGA_DATABASE_READ" }?.value == "postgres://u@r:5432/db")
        #expect(!stated.stated.contains { $0.value?.contains("secret") == true })
        let file = reason(["RENGA_DATABASE": "./jobs.db", "RENGA_DATABASE_READ": "postgres://u@r/db"])
        #expect(file.contains("RENGA_DATABASE_READ names a standby") && file.contains("leave it out"))
    }

    @Test func `the demo's jobs are kept beside the real ones`() {
        #expect(SQLiteDatabase.trialPath("./renga.db") == "./renga-demo.db")
        #expect(SQLiteDatabase.trialPath("/data/renga.db") == "/data/renga-demo.db")
        #expect(SQLiteDatabase.trialPath("/a.b/jobs") == "/a.b/jobs-demo")
    }
}

@Suite struct SecretTests {
    let folder = FileManager.default.temporaryDirectory.appending(path: "renga-secrets-\(UUID())")

    private func invoke(_ environment: [String: String]) throws -> Invocation {
        try Parser.parse([], for: .up, environment: { environment[$0] })
    }

    private func file(_ text: String) throws -> String {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let path = folder.appending(path: "custom_id").path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func `a secret comes from its variable, or from its file without the line end`() throws {
        let path = try file("from-file\n")
        defer { try? FileManager.default.removeItem(at: folder) }
        let both = ["RENGA_API_KEY": "from-variable", "RENGA_API_KEY_FILE": path]
        #expect(try invoke(both).secret(.apiKey)?.reveal() == "from-variable")
        #expect(try invoke(["RENGA_API_KEY_FILE": path]).secret(.apiKey)?.reveal() == "from-file")
        #expect(try invoke([:]).secret(.apiKey) == nil)
    }

    @Test func `a mark and white space around a key are no part of it, and quotes are named as a mistake`()
        throws
    {
        for text in ["\u{FEFF}sk-ant-1\n", " \tsk-ant-1\r\n\n"] {
            let path = try file(text)
            defer { try? FileManager.default.removeItem(at: folder) }
            #expect(try invoke(["ANTHROPIC_API_KEY_FILE": path]).secret(.providerKey)?.reveal() == "sk-ant-1")
        }
        for text in [#""sk-ant-1""#, "'sk-ant-1'"] {
            let error = #expect(throws: UsageError.self) {
                _ = try invoke(["ANTHROPIC_API_KEY": text]).secret(.providerKey)
            }
            #expect(error?.message.contains("quotes") == true && error?.message.contains("sk-ant") == false)
        }
    }

    @Test func `a secret has no flag and its value is never shown`() throws {
        #expect(!Command.up.allFlags.contains { $0.name.contains("custom_id") })
        let error = #expect(throws: UsageError.self) {
            _ = try invoke(["ANTHROPIC_API_KEY": "sk-with space"]).secret(.providerKey)
        }
        #expect(error?.message.contains("sk-with") == false)
        let secret = try invoke(["ANTHROPIC_API_KEY": "sk-1"]).secret(.providerKey)
        #expect(!"\(String(describing: secret)) \(String(reflecting: secret))".contains("sk-1"))
    }

    @Test func `an empty or missing file is said, where it may not be missing`() throws {
        let path = try file("\n")
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: UsageError.self) { _ = try invoke(["RENGA_API_KEY_FILE": path]).secret(.apiKey) }
        let missing = ["RENGA_API_KEY_FILE": path + "-none"]
        #expect(throws: UsageError.self) { _ = try invoke(missing).secret(.apiKey) }
        #expect(try invoke(missing).secret(.apiKey, mayBeMissing: true) == nil)
    }

    @Test func `editors' marks and line ends are no part of a key, and quotes are said`() throws {
        let path = try file("\u{FEFF}sk-ant-bom\r\n")
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(try invoke(["RENGA_API_KEY_FILE": path]).secret(.apiKey)?.reveal() == "sk-ant-bom")
        #expect(try invoke(["RENGA_API_KEY": "  k \n"]).secret(.apiKey)?.reveal() == "k")
        for quoted in [#""sk-1""#, "'sk-1'"] {
            let error = #expect(throws: UsageError.self) {
                _ = try invoke(["ANTHROPIC_API_KEY": quoted]).secret(.providerKey)
            }
            #expect(error?.message.contains("quotes") == true && error?.message.contains("sk-1") == false)
        }
    }

    @Test(arguments: ["   ", "\n", "\t ", "\u{FEFF}"])
    func `a key of nothing but spaces is no key`(text: String) {
        let error = #expect(throws: UsageError.self) {
            _ = try ClientKey.require(
                invoke(["RENGA_API_KEY": text]), listen: #require(ListenAddress("0.0.0.0:8080")), log: .silent
            )
        }
        #expect(error?.message.hasPrefix("RENGA_API_KEY contains only spaces") == true)
    }

    @Test func `a server makes its key once, and refuses to be open to others`() throws {
        let path = try file("x")
        defer { try? FileManager.default.removeItem(at: folder) }
        let environment = ["RENGA_API_KEY_FILE": path + "-new"]
        let listen = try #require(ListenAddress("0.0.0.0:8080"))
        let made = try ClientKey.require(invoke(environment), listen: listen, log: .silent)?.reveal()
        let read = try ClientKey.require(invoke(environment), listen: listen, log: .silent)?.reveal()
        #expect(made != nil && made == read)
        #expect(throws: UsageError.self) {
            _ = try ClientKey.require(invoke([:]), listen: listen, log: .silent)
        }
        let local = try #require(ListenAddress("127.0.0.1:8080"))
        #expect(try ClientKey.require(invoke([:]), listen: local, log: .silent) == nil)
    }
}
