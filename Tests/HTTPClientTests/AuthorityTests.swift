import HTTPClient
import RawServer
import TestSupport
import Testing

@Suite(
    .timeLimit(.minutes(1)), .onThread, .enabled(if: TLSServer.isPossible, "openssl is not installed"))
struct AuthorityTests {
    @Test func `a certificate of an authority of one's own is trusted where that is named, and only there`()
        async throws
    {
        let server = try TLSServer()
        let request = HTTPRequest(method: "GET", url: server.url, timeouts: .init(connect: 20))
        let stranger = await failure(of: HTTPClient(), request)
        #expect(stranger?.code == .tls && stranger?.maySent == false)
        let friend = HTTPClient(authorities: Authorities(file: server.certificate))
        #expect(try await friend.send(request).status == 200)
        let foldered = HTTPClient(authorities: Authorities(file: "/dev/null", folder: "/nowhere"))
        #expect(await failure(of: foldered, request)?.code == .tls)
    }
}
