import Testing

@testable import HTTPClient

@Suite struct AdmissionTests {
    @Test func `starts no more than there are connections`() {
        var admission = Admission<Int>(connections: 2, opening: 9)
        for number in 1...3 { admission.enqueue(number, origin: "a") }
        #expect(admission.next() == 1)
        #expect(admission.next() == 2)
        #expect(admission.next() == nil)
        admission.closed(origin: "a", whileOpening: true)
        #expect(admission.next() == 3)
        #expect(admission.next() == nil)
    }

    @Test func `an origin opens few at a time, and others go past it`() {
        var admission = Admission<Int>(connections: 9, opening: 1)
        for number in 1...3 { admission.enqueue(number, origin: "a") }
        admission.enqueue(10, origin: "b")
        #expect(admission.next() == 1)
        #expect(admission.next() == 10)
        #expect(admission.next() == nil)
        admission.opened(origin: "a")
        #expect(admission.next() == 2)
        admission.closed(origin: "a", whileOpening: true)
        #expect(admission.next() == 3)
        #expect(admission.open == 3)
    }

    @Test func `origins take turns`() {
        var admission = Admission<Int>(connections: 9, opening: 9)
        for number in 1...3 { admission.enqueue(number, origin: "a") }
        for number in 11...13 { admission.enqueue(number, origin: "b") }
        #expect((0..<7).map { _ in admission.next() } == [1, 11, 2, 12, 3, 13, nil])
    }
}

@Suite struct ResponseHeadParserTests {
    @Test func `reads folded lines and odd spacing`() {
        var parser = ResponseHeadParser()
        for line in ["HTTP/1.1 200\r\n", "A:b\r\n", "C: d  \r\n", "\te\r\n", "F:\n", "\r\n"] {
            _ = parser.take(line)
        }
        #expect(parser.head?.status == 200)
        #expect(parser.head?.headers["a"] == "b")
        #expect(parser.head?.headers["c"] == "d e")
        #expect(parser.head?.headers["f"] == "")
    }
}

@Suite struct DeadlinesTests {
    private let request = HTTPRequest(
        url: "http://a", body: [1, 2], timeouts: .init(connect: 1, write: 2, idle: 3, call: 100))

    @Test func `each phase has its own timeout`() {
        var deadlines = Deadlines(request, now: 0)
        #expect(deadlines.next == (100_000, .callTimeout))
        deadlines.connected(now: 10)
        #expect(deadlines.next == (2010, .writeTimeout))
        _ = deadlines.moved(uploaded: 1, downloaded: 0, now: 500)
        #expect(deadlines.next == (2500, .writeTimeout))
        _ = deadlines.moved(uploaded: 2, downloaded: 0, now: 600)
        #expect(deadlines.next == (100_000, .callTimeout))
        deadlines.answering(now: 700)
        #expect(deadlines.next == (3700, .idleTimeout))
        deadlines.paused()
        #expect(deadlines.next == (100_000, .callTimeout))
        deadlines.resumed(now: 5000)
        #expect(deadlines.next == (8000, .idleTimeout))
    }

    @Test func `whatever comes, the head and the call end when they must`() {
        var timeouts = HTTPRequest.Timeouts(connect: 1, write: 2, idle: 3, head: 5, call: 8)
        var deadlines = Deadlines(HTTPRequest(url: "http://a", timeouts: timeouts), now: 0)
        deadlines.connected(now: 0)
        for now in stride(from: Int64(1000), to: 5000, by: 1000) {
            deadlines.answering(now: now)
            #expect(deadlines.next.at <= 5000)
        }
        #expect(deadlines.next == (5000, .callTimeout))
        deadlines.headEnded()
        for now in 5...7 {
            _ = deadlines.moved(uploaded: 0, downloaded: now, now: Int64(now) * 1000)
            #expect(deadlines.next == (8000, .callTimeout))
        }
        deadlines.paused()
        #expect(deadlines.next == (8000, .callTimeout))
        deadlines.conclude(now: 6000)
        #expect(deadlines.next == (7000, .callTimeout))
        timeouts.head = 100
        #expect(
            Deadlines(HTTPRequest(url: "http://a", timeouts: timeouts), now: 0).next == (8000, .callTimeout))
    }

    @Test func `no timeout is no deadline`() {
        let endless = HTTPRequest.Timeouts(
            connect: 1, write: 1, idle: .infinity, head: .infinity, call: .infinity)
        var deadlines = Deadlines(HTTPRequest(url: "http://a", timeouts: endless), now: 0)
        deadlines.connected(now: 0)
        deadlines.answering(now: 0)
        #expect(deadlines.next.at > 1_000_000_000_000)
    }
}

@Test func `an origin is what stands before the path`() {
    #expect(HTTPRequest(url: "https://a.example:8443/v1/x?y=//z").origin == "https://a.example:8443")
    #expect(HTTPRequest(url: "https://a.example?x=/").origin == "https://a.example")
    #expect(HTTPRequest(url: "https://a.example").origin == "https://a.example")
}

@Suite struct LoopbackTests {
    @Test func `addresses of this machine itself are told from all others`() {
        for url in ["http://127.0.0.1:80/a", "http://127.9.9.9", "https://localhost?x", "http://[::1]:8080/"]
        {
            #expect(HTTPRequest(url: url).isLoopback, "\(url)")
        }
        for url in ["http://10.0.0.1", "http://127.example.com", "http://localhost.example", "http://[::2]"] {
            #expect(!HTTPRequest(url: url).isLoopback, "\(url)")
        }
    }
}
