import Foundation
import Testing
import TestSupport

/// What providers say is read without a trap, and what is kept of it is bounded, whatever they say.
@Suite(.onThread) struct OddAnswersTests {
    private static let rounds = ProcessInfo.processInfo.environment["RENGA_LONG"] == nil ? 400 : 100_000

    @Test(arguments: ["message", "message-stream", "chat", "chat-stream", "batch-lines"])
    func `Odd answers are bounded where they are read`(_ name: String) throws {
        let property = try #require(Property.all.first { $0.name == name })
        let seed = UInt64.random(in: .min ... .max)
        var odd = OddAnswers(random: SeededRandom(seed: seed))
        for round in 0..<Self.rounds {
            let input = Self.input(name, &odd)
            do {
                try property.check(Array(input.utf8))
            } catch {
                Issue.record("\(error); seed \(seed), round \(round): \(input.prefix(2000))")
                return
            }
        }
    }

    /// The first byte of a whole answer chooses its status.
    private static func input(_ name: String, _ odd: inout OddAnswers) -> String {
        let isError = UInt8.random(in: 0..<4, using: &odd.random) == 0
        let status = isError ? UInt8.random(in: 3..<14, using: &odd.random) : 0
        let first = String(UnicodeScalar(status))
        return switch name {
        case "message": first + (isError ? odd.error() : odd.message())
        case "message-stream": odd.messageStream()
        case "chat": first + (isError ? odd.error() : odd.chat())
        case "chat-stream": odd.chatStream()
        default:
            #"{"custom_id":"a","result":{"type":"\#(isError ? "errored" : "succeeded")","message":\#(odd.message()),"error":\#(odd.error())}}"#
                + "\n"
        }
    }
}
