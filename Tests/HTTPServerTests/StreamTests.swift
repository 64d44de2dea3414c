import HTTPServer
import Testing

@Suite struct StreamTests {
    @Test func `a body can be had without a socket`() async throws {
        var bytes: [UInt8] = []
        for try await piece in BodyStream(Array("hello".utf8)) { bytes += piece }
        #expect(bytes == Array("hello".utf8))
    }

    @Test func `a cut body can be had without a socket`() async throws {
        var iterator = BodyStream(Array("hel".utf8), isCut: true).makeAsyncIterator()
        #expect(try await iterator.next() == Array("hel".utf8))
        let error = await #expect(throws: HTTPServerError.self) { _ = try await iterator.next() }
        #expect(error?.code == .uploadCut)
    }

    @Test func `a producer can be run without a socket`() async throws {
        let bytes = try await ResponseWriter.collect { try await $0.write("hello") }
        #expect(bytes == Array("hello".utf8))
    }
}
