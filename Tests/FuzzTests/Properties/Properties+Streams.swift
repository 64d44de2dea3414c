import JSON
import Jobs

@testable import API
@testable import Models

extension Property {
    static let streams = [
        Property(name: "events", check: events), Property(name: "lines", check: lines),
        Property(name: "requests", check: requests), Property(name: "batch-lines", check: batchLines),
    ]

    /// Any cut of the bytes gives the same events, and none is larger than the limit.
    private static func events(_ bytes: [UInt8]) throws {
        let readings = cuts(of: bytes).map { pieces in
            var reader = EventReader(limit: 48)
            var found = pieces.flatMap { reader.take($0) }
            if let last = reader.end() { found.append(last) }
            guard reader.isTooLarge else { return found }
            return found + [ServerEvent(name: "too large")]
        }
        for reading in readings { try demand(reading, is: readings[0], "events by another cut") }
    }

    /// Lines are what stands between line feeds, however the bytes are cut.
    private static func lines(_ bytes: [UInt8]) throws {
        let limit = 24
        var expected: [LineSplitter.Line] = []
        for (index, part) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        {
            guard part.count <= limit else {
                expected.append(.tooLong)
                continue
            }
            let hasMark = index == 0 && part.starts(with: [0xEF, 0xBB, 0xBF])
            let line = Array(hasMark ? part.dropFirst(3) : part)
            // Old programs end a file with this byte.
            if line == [0x1A] { continue }
            if line.contains(where: { !" \t\r".utf8.contains($0) }) { expected.append(.text(line)) }
        }
        for pieces in cuts(of: bytes) {
            var splitter = LineSplitter(limit: limit)
            let found = pieces.flatMap { splitter.append($0) } + splitter.finish()
            try demand(found, is: expected, "lines")
        }
    }

    /// A batch's requests are the elements of its array, however the bytes are cut.
    private static func requests(_ bytes: [UInt8]) throws {
        let readings = cuts(of: bytes).map { pieces -> (requests: [[UInt8]]?, problem: Problem.Kind?) in
            var splitter = RequestSplitter(limit: 64)
            var found: [[UInt8]] = []
            do throws(Problem) {
                for piece in pieces {
                    found += try splitter.append(piece)
                }
                try splitter.finish()
                return (found, nil)
            } catch {
                return (nil, error.kind)
            }
        }
        for reading in readings {
            try demand(reading.requests, is: readings[0].requests, "requests by another cut")
            try demand(reading.problem, is: readings[0].problem, "the problem by another cut")
        }
        let whole = (try? JSON.parse(bytes, maxDepth: JSON.deepest))
        let elements = whole?["requests"]?.elements?.map { Array($0.raw).text }
        if let found = readings[0].requests {
            let read = found.map { try? JSON.parse($0, maxDepth: JSON.deepest) }
            guard read.allSatisfy({ $0 != nil }) else { return }
            try demand(
                read.map { $0.map { Array($0.raw).text } ?? "" }, is: elements ?? ["no batch"], "the requests"
            )
            try demand(whole?.count, is: 1, "members beside the requests")
        } else if readings[0].problem == .invalidJSON, whole?.count == 1, let elements {
            let isSpelled = bytes.split(separator: UInt8(ascii: "\"")).dropFirst().first?.elementsEqual(
                "requests".utf8)
            try demand(isSpelled != true, "a batch is refused: \(elements)")
        }
    }

    /// Any cut of a batch's results gives the same lines, up to the same place.
    private static func batchLines(_ bytes: [UInt8]) throws {
        let readings = cuts(of: bytes).map { pieces in
            var reader = BatchLineReader(secret: Secret("no such key"))
            var found: [String] = []
            func take() { found += reader.take().map { "\($0.customID): \($0.outcome.result)" } }
            do {
                for piece in pieces { try reader.append(piece) }
                try reader.finish()
                take()
            } catch {
                take()
                found.append("\(error)")
            }
            return found
        }
        for reading in readings { try demand(reading, is: readings[0], "lines by another cut") }
    }
}
