import Foundation
import TestSupport
import Testing

/// What a service manager hears of the real binary.
@Suite(.timeLimit(.minutes(1)), .onThread)
struct ReadinessTests {
    @Test func `a service manager hears when the server answers, that it lives, and that it stops`()
        async throws
    {
        let folder = try Folder()
        let address = folder.url.path + "/notify"
        let inbox = try DatagramInbox(address)
        let environment = ["NOTIFY_SOCKET": address, "WATCHDOG_USEC": "200000"]
        let program = try Program(["up", "--port", "0"], environment, in: folder.url)
        #expect(inbox.next() == "READY=1")
        // It has said where it listens before it says that it is ready.
        let line = await program.output.line(from: "http://127.0.0.1:")
        let url = try #require(line?.split(separator: " ").first)
        let health = try await Program(["health", "--url", String(url)], in: folder.url).end()
        #expect(health.status == 0)
        for _ in 0..<3 { #expect(inbox.next() == "WATCHDOG=1") }
        program.signal(SIGTERM)
        var word = inbox.next()
        while word == "WATCHDOG=1" { word = inbox.next() }
        #expect(word == "STOPPING=1")
        #expect(await program.end().status == 0)
    }

    @Test func `a service manager that cannot be told stops nothing`() async throws {
        let folder = try Folder()
        let program = try Program(
            ["up", "--port", "0"], ["NOTIFY_SOCKET": "/nowhere/notify"], in: folder.url)
        #expect(
            await program.errors.line(from: "the service manager did not hear")?.contains("/nowhere") == true)
        program.signal(SIGTERM)
        #expect(await program.end().status == 0)
    }
}
