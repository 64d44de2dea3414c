import System

extension RawRequest {
    /// Sends it, and behind it a request that makes a job under that key; everything that comes back.
    func talk(to port: Int, nextMakes key: String) async throws -> String {
        let body = #"{"custom_id":"\#(key)","prompt":"x"}"#
        let following = Array(
            """
            POST /v1/jobs HTTP/1.1\r
            host: x\r
            x-api-key: sesame\r
            connection: close\r
            content-length: \(body.utf8.count)\r
            \r
            \(body)
            """.utf8)
        return try await offPool {
            let connection = try RawConnection(port: port)
            defer { connection.close() }
            // In one piece, so that the server has all of it when it decides.
            connection.send(bytes + (next == .cut ? following.dropLast(5) : following))
            if next == .cut || next == .answeredToHalfClosed { connection.finishSending() }
            return try connection.receiveAll()
        }
    }

    /// What libmicrohttpd has not read when it closes makes the system reset the connection.
    var mayLoseAnswer: Bool { speaker == .library && bytes.count > 30_000 }
}

/// An answer as a client makes it out among those of a connection.
struct RawAnswer {
    let status: Int
    let isProblem: Bool

    /// Up to the one that says it is the last.
    static func all(in text: String) throws -> [RawAnswer] {
        var answers: [RawAnswer] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            guard let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) else {
                throw Disappointment("the head of an answer is cut: “\(text.prefix(600))”")
            }
            let head = String(decoding: rest[..<end.lowerBound], as: UTF8.self).lowercased()
            let length = field("content-length", of: head).flatMap { Int($0) }
            guard let status = head.utf8.split(separator: UInt8(ascii: " ")).dropFirst().first,
                let status = Int(String(Substring(status))), let length
            else { throw Disappointment("no answer of HTTP: “\(text.prefix(600))”") }
            answers.append(
                RawAnswer(
                    status: status, isProblem: field("content-type", of: head) == "application/problem+json"))
            if field("connection", of: head) == "close" { break }
            rest = rest[end.upperBound...].dropFirst(length)
        }
        return answers
    }

    private static func field(_ name: String, of head: String) -> String? {
        head.split(separator: "\r\n").first { $0.hasPrefix(name + ": ") }
            .map { String($0.dropFirst(name.count + 2)) }
    }
}
