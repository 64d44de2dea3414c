import Foundation
import HTTPClient
import JSON
import RawServer
import TestSupport
import Testing

@testable import renga

/// The real binary, from outside.
@Suite(.timeLimit(.minutes(1)), .serialized)
struct FrontDoorTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    private func renga(_ words: String..., input: String = "", environment: [String: String] = [:])
        async throws
        -> Program.Ended
    {
        try await Program(words, environment, in: folder.url, input: input).end()
    }

    /// `up` on a free port or the one given, and its address.
    private func up(_ words: String..., port: String = "0", environment: [String: String] = [:]) async throws
        -> (program: Program, url: String)
    {
        let program = try Program(["up", "--port", port] + words, environment, in: folder.url)
        let line = await program.output.line(from: "http://127.0.0.1:")
        let url = try #require(line?.split(separator: " ").first)
        return (program, String(url))
    }

    private func stop(_ program: Program) async {
        program.signal(SIGTERM)
        #expect(await program.end().status == 0)
    }

    @Test func `up without a key answers from its simulator, says so, and ends in order`() async throws {
        // Loopback is called directly, whatever proxy the environment names.
        let (program, url) = try await up(environment: ["http_proxy": "http://127.0.0.1:1"])
        let done = try await renga("enqueue", "-", "--text", "--wait", "--url", url, input: "one\ntwo\n")
        #expect(
            done.status == 0 && done.output.contains("2 lines: 2 new") && done.output.contains("2 succeeded"))
        let jobs = try await renga("jobs", "--json", "--url", url)
        #expect(jobs.output.split(separator: "\n").count == 2)
        #expect(jobs.output.contains(#""state":"succeeded""#) && jobs.output.contains(#""simulated":true"#))
        await stop(program)
        #expect(await program.end().output.contains("ANTHROPIC_API_KEY is not set"))
        #expect(FileManager.default.fileExists(atPath: folder.url.appending(path: "renga-demo.db").path))
    }

    @Test func `a streamed answer that fails its check ends its job, which pays for no other`() async throws {
        let (program, url) = try await up()
        let client = HTTPClient()
        func send(_ method: String, _ path: String, _ body: String, _ headers: [(String, String)] = [])
            async throws -> HTTPResponse
        {
            var request = HTTPRequest(method: method, url: url + path, headers: headers)
            if !body.isEmpty { request.body = Array(body.utf8) }
            return try await client.send(request)
        }
        let check = #"{"check":{"labels":["none of these"],"on_fail":["repair","review"]}}"#
        #expect(try await send("PATCH", "/v1/queues/checked?create=true", check).status == 200)
        let body =
            #"{"model":"claude-haiku-4-5","max_tokens":9000,"stream":true,"messages":[{"role":"user","content":"[[sim:output=8000]]"}]}"#
        let streamed = try await send(
            "POST", "/v1/messages", body,
            [("x-renga-queue", "checked"), ("x-renga-tags", "a"), ("x-renga-tags", "b")])
        #expect(String(decoding: streamed.body, as: UTF8.self).contains("did not pass its check"))
        let job = try #require(
            try JSON.parse(try await send("GET", "/v1/jobs?queue=checked", "").body)["data"]?[0])
        #expect(job["state"]?.string == "failed" && job["attempt"]?.int == 1, "\(job)")
        #expect(job["tags"]?.elements?.compactMap(\.string) == ["a", "b"])
        let twice = try await send(
            "POST", "/v1/messages", body, [("x-renga-queue", "checked"), ("x-renga-queue", "other")])
        #expect(twice.status == 400)
        client.shutdown()
        await stop(program)
    }

    @Test func `enqueue writes results in the order of the input, and the same file again resumes`()
        async throws
    {
        let (program, url) = try await up()
        let lines = (1...40).map { #""Number \#($0).""# }
        try folder.write("in.jsonl", lines)
        let first = try await renga("enqueue", "in.jsonl", "--out", "out.jsonl", "--url", url)
        #expect(first.status == 0 && first.output.contains("40 new"))
        let before = try folder.lines("out.jsonl")
        #expect(try before.map { try JSON.parse($0).number("line") } == Array(1...40))

        try folder.write("in.jsonl", [#""New.""#] + lines.reversed() + ["no json", lines[0]])
        let second = try await renga("enqueue", "in.jsonl", "--out", "out.jsonl", "--url", url)
        #expect(second.status == 1, "a line was invalid")
        #expect(second.output.contains("43 lines: 2 new, 40 already there, 1 invalid"))
        #expect(second.errors.contains("line 42: column 1"))
        let after = try folder.lines("out.jsonl").map { try JSON.parse($0) }
        #expect(after.map { $0.number("line") } == Array(1...43))
        #expect(
            try after[1...40].map { $0.text("id") } == before.reversed().map { try JSON.parse($0).text("id") }
        )
        #expect(after[41].text("state") == "invalid" && after[42].text("state") == "succeeded")
        await stop(program)
    }

    @Test func `a server that is killed and comes back loses nothing for a command that waits`() async throws
    {
        let (program, url) = try await up()
        try folder.write("in.jsonl", (1...300).map { #""Number \#($0).""# })
        let pause = try await renga("pause", "queue", "default", "--url", url)
        #expect(pause.status == 0)
        let waiting = try Program(
            ["enqueue", "in.jsonl", "--out", "out.jsonl", "--url", url], in: folder.url)
        #expect(await waiting.errors.line(from: "Jobs keep running") != nil)
        program.signal(SIGKILL)
        _ = await program.end()
        #expect(await waiting.errors.line(from: "no answer from the server") != nil)
        let again = try await up(port: String(url.split(separator: ":")[2]))
        #expect(try await renga("resume", "queue", "default", "--url", url).status == 0)
        let ended = await waiting.end()
        #expect(ended.status == 0 && ended.output.contains("300 succeeded"))
        #expect(try folder.lines("out.jsonl").count == 300)
        await stop(again.program)
    }

    @Test func `server, worker and simulator run apart, and the server makes the key that it asks for`()
        async throws
    {
        let simulator = try Program(["simulate", "--port", "0"], in: folder.url)
        let address = try #require(await simulator.errors.line(from: "http://127.0.0.1:"))
        let endpoint = String(address.prefix { $0 != "\"" })
        let environment = [
            "ANTHROPIC_API_KEY": "simulated", "ANTHROPIC_BASE_URL": endpoint, "RENGA_API_KEY_FILE": "api-key",
        ]
        let server = try Program(["serve", "--listen", "0.0.0.0:0"], environment, in: folder.url)
        let url = String(
            try #require(await server.errors.line(from: "http://127.0.0.1:")).prefix { $0 != "\"" })
        let worker = try Program(["work"], environment, in: folder.url)
        let refused = try await renga("jobs", "--url", url)
        #expect(refused.status == 1 && refused.errors.contains("set RENGA_API_KEY"))
        let done = try await renga(
            "enqueue", "-", "--text", "--wait", "--url", url, input: "hello\n", environment: environment)
        #expect(done.status == 0, "\(done)")
        for program in [server, worker, simulator] { await stop(program) }
        let key = try folder.lines("api-key")[0]
        let log = await server.end().errors
        #expect(!log.contains(key) && log.contains(#""file":"api-key""#), "where the key is, not what it is")
        #expect(log.contains(#""address":"0.0.0.0:"#), "where it listens")
        #expect(await worker.end().errors.contains(key) == false)
    }

    @Test func `a second signal ends a process that still waits for its calls`() async throws {
        let simulator = try Program(["simulate", "--port", "0", "--latency", "600s"], in: folder.url)
        let address = try #require(await simulator.errors.line(from: "http://127.0.0.1:"))
        let environment = [
            "ANTHROPIC_API_KEY": "simulated", "ANTHROPIC_BASE_URL": String(address.prefix { $0 != "\"" }),
            "RENGA_LOG": "debug",
        ]
        let (program, url) = try await up(environment: environment)
        _ = try await renga("enqueue", "-", "--text", "--url", url, input: "hello\n")
        while try await !renga("jobs", "--state", "running", "--json", "--url", url).output.contains("job_") {
        }
        program.signal(SIGTERM)
        #expect(await program.errors.line(from: #""worker drains","running":1"#) != nil)
        program.signal(SIGTERM)
        let ended = await program.end()
        #expect(ended.status == 1 && ended.errors.contains("second signal"))
        simulator.signal(SIGKILL)
    }

    @Test func `wrong usage is status 2, an absent server 75, and a refused start says what to do`()
        async throws
    {
        let unknown = try await renga("jbos")
        #expect(unknown.status == 2 && unknown.errors.contains("did you mean jobs?"))
        let flag = try await renga("jobs", "--limt", "3")
        #expect(
            flag.status == 2 && flag.errors.contains("--limit") && flag.errors.contains("usage: renga jobs"))
        let absent = try await renga("jobs", "--url", "http://127.0.0.1:1")
        #expect(absent.status == 75 && absent.errors.contains("http://127.0.0.1:1"))
        let keyless = try await renga("serve")
        #expect(keyless.status == 2 && keyless.errors.contains("ANTHROPIC_API_KEY"))
        let open = try await renga("up", "--listen", "0.0.0.0:0")
        #expect(open.status == 2 && open.errors.contains("RENGA_API_KEY"))
        #expect(try await renga("health", "--port", "1").status == 1)
        let elsewhere = ["RENGA_URL": "http://127.0.0.1:2"]
        #expect(try await renga("health", environment: elsewhere).errors.contains("127.0.0.1:2/health"))
        let flagged = try await renga("health", "--port", "1", environment: elsewhere)
        #expect(flagged.errors.contains("127.0.0.1:1/health"))
        #expect(try await renga("--version").output.hasPrefix("renga "))
        #expect(try await renga("help").status == 0)
        #expect(try await renga().status == 2)
    }

    @Test(.onThread, .enabled(if: TLSServer.isPossible, "openssl is not installed"))
    func `the doctor tries the handshake, and says which authority is missing`() async throws {
        let server = try TLSServer()
        var environment = ["ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": server.url]
        let ill = try await renga("doctor", "--shell", environment: environment)
        #expect(ill.status == 1 && ill.output.contains("the TLS connection to \(server.url) failed"))
        #expect(ill.output.contains("RENGA_CA_FILE=") && ill.output.contains("openssl s_client"))
        for name in ["RENGA_CA_FILE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"] {
            environment[name] = server.certificate
            let well = try await renga("doctor", "--shell", environment: environment)
            #expect(well.output.contains("\(server.url) answers and accepts the key"), "\(well.output)")
            environment[name] = nil
        }
        environment["SSL_CERT_FILE"] = "/nowhere/ca.pem"
        let lost = try await renga("doctor", "--shell", environment: environment)
        #expect(lost.output.contains("SSL_CERT_FILE is “/nowhere/ca.pem”, which does not exist"))
    }

    @Test func `jobs are held, cancelled, corrected and copied from the command line`() async throws {
        let (program, url) = try await up()
        _ = try await renga("pause", "queue", "q", "--create", "--url", url)
        _ = try await renga("enqueue", "-", "--text", "--queue", "q", "--url", url, input: "one\ntwo\n")
        #expect(try await renga("jobs", "--url", url).output.contains("pause: queue q is paused"))
        #expect(
            try await renga("cancel", "--queue", "q", "--dry-run", "--url", url).output
                == "2 jobs would be cancelled\n")
        #expect(try await renga("cancel", "--queue", "q", "--url", url).output == "2 jobs cancelled\n")
        // Nobody sits at a terminal here.
        let all = try await renga("cancel", "--all", "--url", url)
        #expect(all.status == 2 && all.errors.contains("--yes"))
        #expect(try await renga("cancel", "--all", "--yes", "--url", url).output == "0 jobs cancelled\n")
        let retried = try await renga("retry", "--queue", "q", "--set", "max_tokens=7", "--url", url)
        #expect(retried.output == "2 jobs queued again\n")
        _ = try await renga("resume", "queue", "q", "--url", url)
        let batch = try await renga("results", "--queue", "q", "--url", url)
        #expect(batch.status == 0)
        #expect(try await renga("backup", "copy.db", "--database", "renga-demo.db").status == 0)
        #expect(try await renga("migrate", "--database", "copy.db").output.contains("schema version"))
        #expect(try await renga("backup", "copy.db", "--database", "renga-demo.db").status == 1)
        let doctor = try await renga(
            "doctor", "--url", url, environment: ["RENGA_MAX_ATTEMPTS": "9", "RENGA_RPM": "none at all"])
        #expect(doctor.output.contains("RENGA_MAX_ATTEMPTS") && doctor.output.contains("9 in this shell"))
        // What cannot be read here is not what the server has.
        #expect(
            doctor.output.contains("its settings are checked") && doctor.output.contains("all are valid"))
        #expect(doctor.output.contains("renga-demo.db, schema"))
        #expect(doctor.status == 0 && doctor.output.contains("own simulator answers"))
        let status = try await renga("status", "--url", url)
        #expect(status.output.contains("queues") && status.output.contains("workers"))
        await stop(program)
    }
}
