import Foundation
import HTTPClient
import JSON
import TestSupport
import Testing

@testable import renga

/// Every way to put a copy in a database's place, after every end of its server: sound, or refused with the cure.
@Suite(.timeLimit(.minutes(3)), .onThread)
struct RestoreDrillTests {
    enum End: String, CaseIterable { case cleanStop, kill }
    enum Source: String, CaseIterable { case backup, copyOfStopped }
    enum Way: String, CaseIterable { case cp, mv, restore }

    static let cells = End.allCases.flatMap { end in
        Source.allCases.flatMap { source in Way.allCases.map { way in (end, source, way) } }
    }

    private struct Place {
        let folder: Folder

        func path(_ name: String) -> String { folder.url.appending(path: name).path }

        func renga(_ words: String...) async throws -> Program.Ended {
            try await Program(words, in: folder.url).end()
        }

        func up() async throws -> (program: Program, url: String) {
            let program = try Program(["up", "--port", "0", "--database", "jobs.db"], in: folder.url)
            let line = await program.output.line(from: "http://127.0.0.1:")
            return (program, String(try #require(line?.split(separator: " ").first)))
        }

        /// So many jobs, acknowledged one by one.
        func enqueue(_ count: Int, at url: String) async throws {
            let client = HTTPClient()
            defer { client.shutdown() }
            for number in 0..<count {
                let body = Array(#"{"prompt":"Say \#(number) of \#(count)."}"#.utf8)
                let answer = try await client.send(
                    HTTPRequest(
                        method: "POST", url: url + "/v1/jobs",
                        headers: [("content-type", "application/json")],
                        body: body))
                try #require(answer.status == 202 || answer.status == 200)
            }
        }

        /// Ends it as a person or as a machine does.
        func end(_ program: Program, _ end: End) async {
            program.signal(end == .kill ? SIGKILL : SIGTERM)
            _ = await program.end()
        }

        /// What `restore` finds in the file: it looks at every page.
        func content() async throws -> String {
            let copy = try await renga("backup", "look.db", "--database", "jobs.db")
            try #require(copy.status == 0, "\(copy.errors)")
            let look = try await renga("restore", "look.db", "--database", "other.db", "--dry-run")
            try FileManager.default.removeItem(atPath: path("look.db"))
            return look.output
        }

        func run(_ command: String) throws {
            let shell = Process()
            shell.executableURL = URL(filePath: "/bin/sh")
            shell.arguments = ["-c", command]
            shell.currentDirectoryURL = folder.url
            try shell.run()
            shell.waitUntilExit()
            try #require(shell.terminationStatus == 0, "\(command)")
        }
    }

    @Test(arguments: cells)
    func `each cell ends sound or refused with the cure`(end: End, source: Source, way: Way) async throws {
        let place = Place(folder: try Folder())
        let (first, url) = try await place.up()
        try await place.enqueue(3, at: url)
        if source == .backup {
            #expect(try await place.renga("backup", "copy.db", "--database", "jobs.db").status == 0)
            await place.end(first, .cleanStop)
        } else {
            await place.end(first, .cleanStop)
            try place.run("cp jobs.db copy.db")
        }
        let (second, again) = try await place.up()
        try await place.enqueue(5, at: again)
        if way == .restore {
            let running = try await place.renga("restore", "copy.db", "--database", "jobs.db")
            #expect(running.status == 1 && running.errors.contains("stop all servers and workers"))
            #expect(!running.errors.contains("SQLite code") && !running.errors.contains("nothing was"))
        }
        await place.end(second, end)

        switch way {
        case .cp: try place.run("cp copy.db jobs.db")
        case .mv: try place.run("mv copy.db jobs.db")
        case .restore:
            let trial = try await place.renga("restore", "copy.db", "--database", "jobs.db", "--dry-run")
            #expect(trial.status == 0 && trial.output.contains("3 jobs"), "\(trial)")
            let done = try await place.renga("restore", "copy.db", "--database", "jobs.db")
            #expect(done.status == 0 && done.output.contains("3 jobs"), "\(done)")
            let kept = try FileManager.default.contentsOfDirectory(atPath: place.folder.url.path)
            #expect(kept.contains { $0.hasPrefix("jobs.db.replaced-") })
        }
        let start = try await place.renga("migrate", "--database", "jobs.db")
        if end == .kill, way != .restore {
            #expect(start.status == 1 && start.errors.contains("renga restore FILE"), "\(start)")
            // The cure, as it is printed, but for the program's place.
            let cure = try #require(start.errors.firstMatch(of: #/mv .*? && rm -f \S+/#))
            try place.run(String(cure.0))
            #expect(try await place.renga("migrate", "--database", "jobs.db").status == 0)
        } else {
            #expect(start.status == 0, "\(start)")
        }
        #expect(try await place.content().contains("3 jobs"))
    }

    @Test func `what a kill leaves behind starts again, here and moved elsewhere`() async throws {
        let place = Place(folder: try Folder())
        let (server, url) = try await place.up()
        try await place.enqueue(4, at: url)
        await place.end(server, .kill)
        try place.run("mkdir there && cp jobs.db jobs.db-wal there/ && cp jobs.db-wal jobs.db-wal.seen")
        #expect(try await place.content().contains("4 jobs"))
        try place.run("rm jobs.db* && mv there/* .")
        #expect(try await place.content().contains("4 jobs"))
    }

    @Test func `a database that goes away under its server is noticed, and none is made beside it`()
        async throws
    {
        let place = Place(folder: try Folder())
        let (server, url) = try await place.up()
        try await place.enqueue(2, at: url)
        try place.run("mkdir away && mv jobs.db away/")
        let client = HTTPClient()
        defer { client.shutdown() }
        func status(_ method: String, _ path: String, _ body: String = "") async throws -> Int {
            try await client.send(
                HTTPRequest(
                    method: method, url: url + path, headers: [("content-type", "application/json")],
                    body: Array(body.utf8))
            ).status
        }
        #expect(try await status("POST", "/v1/jobs", #"{"prompt":"into nothing"}"#) == 503)
        // Its word on itself is a second old at most.
        let deadline = ContinuousClock.now + .seconds(30)
        while try await status("GET", "/ready") != 503, ContinuousClock.now < deadline {}
        #expect(try await status("GET", "/ready") == 503)
        #expect(try await status("GET", "/health") == 200)
        #expect(await server.errors.line(from: "moved, deleted or replaced") != nil)
        let beside = try await place.renga("migrate", "--database", "jobs.db")
        #expect(beside.status == 1 && beside.errors.contains("there was one"), "\(beside)")
        #expect(!FileManager.default.fileExists(atPath: place.path("jobs.db")))
        // Put back, all goes on.
        try place.run("mv away/jobs.db jobs.db")
        while try await status("GET", "/ready") != 200, ContinuousClock.now < deadline {}
        #expect(try await status("POST", "/v1/jobs", #"{"prompt":"into the file"}"#) == 202)
        await place.end(server, .cleanStop)
        #expect(try await place.content().contains("3 jobs"))
    }

    /// What is done to the files of a server that runs, and whether all is well once it is undone.
    static let mischief = [
        ("cp copy.db jobs.db", nil), (": > jobs.db", nil), ("rm jobs.db-wal jobs.db-shm", nil),
        ("mv jobs.db-wal kept", "mv kept jobs.db-wal"),
        ("mv jobs.db moved.db && cp copy.db jobs.db", "mv moved.db jobs.db"),
    ]

    @Test(arguments: mischief)
    func `files that change under a server are noticed, and nobody joins it there`(
        command: String, undo: String?
    ) async throws {
        let place = Place(folder: try Folder())
        let (first, url) = try await place.up()
        try await place.enqueue(2, at: url)
        #expect(try await place.renga("backup", "copy.db", "--database", "jobs.db").status == 0)
        await place.end(first, .cleanStop)
        let (server, again) = try await place.up()
        try await place.enqueue(5, at: again)
        try place.run(command)
        let client = HTTPClient()
        defer { client.shutdown() }
        func status(_ path: String, _ body: String? = nil) async throws -> Int {
            try await client.send(
                HTTPRequest(
                    method: body == nil ? "GET" : "POST", url: again + path,
                    headers: [("content-type", "application/json")], body: Array((body ?? "").utf8))
            ).status
        }
        #expect(try await status("/v1/jobs", #"{"prompt":"into nothing"}"#) == 503)
        let deadline = ContinuousClock.now + .seconds(30)
        while try await status("/ready") != 503, ContinuousClock.now < deadline {}
        #expect(try await status("/ready") == 503)
        let beside = try await place.renga("migrate", "--database", "jobs.db")
        #expect(beside.status == 1 && beside.errors.contains("renga restore FILE"), "\(beside)")
        if let undo {
            try place.run(undo)
            while try await status("/ready") != 200, ContinuousClock.now < deadline {}
            await place.end(server, .cleanStop)
            #expect(try await place.content().contains("7 jobs"))
        } else {
            await place.end(server, .cleanStop)
            _ = try await place.renga("restore", "copy.db", "--database", "jobs.db")
            #expect(try await place.content().contains("2 jobs"))
        }
    }

    @Test func `too few files, or too small ones, refuse a start in words`() async throws {
        let place = Place(folder: try Folder())
        let binary = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(
            path: "renga"
        ).path
        for (limit, word) in [("-n 24", "ulimit -n"), ("-f 100", "ulimit -f")] {
            let command =
                "ulimit \(limit); '\(binary)' up --port 0 > out.txt 2> err.txt; echo $? > status.txt"
            try place.run(command)
            #expect(try place.folder.lines("status.txt") == ["1"], "\(limit)")
            #expect(try place.folder.lines("err.txt").joined().contains(word), "\(limit)")
        }
    }
}
