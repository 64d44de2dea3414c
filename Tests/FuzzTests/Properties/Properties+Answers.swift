import HTTPClient
import JSON
import Jobs

@testable import Models
import TestSupport

extension Property {
    static let answers = [
        Property(name: "message", check: message), Property(name: "message-stream", check: messageStream),
        Property(name: "chat", check: chat), Property(name: "chat-stream", check: chatStream),
        Property(name: "batch", check: batch),
    ]

    private static let assumed = ChatAnswer.Assumed(model: "m", requestBytes: 100)
    private static let now = Timestamp(milliseconds: 1_790_000_000_000)

    /// The first byte chooses the status; what is an answer is one byte for byte.
    private static func message(_ bytes: [UInt8]) throws {
        let body = Array(bytes.dropFirst())
        let outcome = Outcome(reading: body, status: status(bytes.first), headers: HTTPHeaders(), now: now)
        if case .answer(let answer) = outcome.result {
            try demand(answer.body, is: body, "the answer's bytes")
        }
        try judge(outcome)
    }

    private static func chat(_ bytes: [UInt8]) throws {
        let format = ChatFormat(limit: 1 << 20, assumed: assumed)
        let body = Array(bytes.dropFirst())
        try judge(format.outcome(of: body, status: status(bytes.first), headers: HTTPHeaders(), now: now))
    }

    private static func status(_ byte: UInt8?) -> Int {
        let statuses = [200, 200, 200, 400, 401, 402, 403, 404, 413, 429, 500, 502, 503, 529]
        return statuses[Int(byte ?? 0) % statuses.count]
    }

    private static func messageStream(_ bytes: [UInt8]) throws {
        try stream(bytes) { StreamedAnswer(limit: 400) }
    }

    private static func chatStream(_ bytes: [UInt8]) throws {
        try stream(bytes) { ChatStream(limit: 400, assuming: assumed, listener: Ear()) }
    }

    /// Any cut of the stream gives the same result.
    private static func stream(_ bytes: [UInt8], _ make: () -> some AnswerStream) throws {
        let results = cuts(of: bytes).map { pieces in
            var answer = make()
            for piece in pieces { if let result = answer.take(piece) { return result } }
            return answer.end(nil)
        }
        for result in results {
            try demand(words(result), is: words(results[0]), "the result by another cut")
            try judge(Outcome(result))
        }
    }

    /// What comes of it is decided, is priced, and reads as it was written.
    static func judge(_ outcome: Outcome) throws {
        try demandBounds(outcome)
        var random = SeededRandom(seed: 1)
        let decision = Decision.decide(outcome, failures: 0, policy: RetryPolicy(), using: &random)
        let error: JobError? =
            switch decision.verdict {
            case .succeeded, .handedBack: nil
            case .again(let delay, let error, _): delay > 0 ? error : nil
            case .wait(let error), .failed(let error): error
            case .rejected(let failure): failure.error
            }
        if let error { try demand((1...600).contains(error.message.count), "the message \(error.message)") }
        let usage: Usage?
        switch outcome.result {
        case .answer(let answer):
            usage = answer.usage
            try demand(decision.verdict, is: .succeeded, "the verdict on an answer")
            guard case .answer(let again) = Outcome.Result(message: answer.body) else {
                throw Broken(description: "an answer is no Message: \(answer.body.text)")
            }
            try demand(again.stopReason, is: answer.stopReason, "the stop reason")
            try demand(again.usage, is: answer.usage, "the usage")
            try demand(again.model, is: answer.model, "the model")
        case .refusal(let refusal): usage = refusal.usage
        case .broken(let breakage): usage = breakage.usage
        case .abandoned: throw Broken(description: "nobody gave it up")
        }
        guard let usage, let price = PriceTable.price(of: "claude-opus-4-1") else { return }
        try demand(price.cost(of: usage) >= .zero, "the cost of \(usage)")
        try demand(price.cost(of: usage) <= Price.mostPerCall, "the cost of \(usage)")
    }

    /// What is kept beside an answer's own bytes is short and steers nothing, and what is counted is a number of tokens.
    private static func demandBounds(_ outcome: Outcome) throws {
        var texts = [outcome.requestID]
        var usage: Usage?
        switch outcome.result {
        case .answer(let answer):
            texts += [answer.model, answer.stopReason]
            usage = answer.usage
        case .refusal(let refusal):
            texts += [refusal.type, refusal.code, refusal.message]
            usage = refusal.usage
        case .broken(let breakage):
            texts.append(breakage.message)
            usage = breakage.usage
        case .abandoned: break
        }
        for text in texts.compactMap(\.self) {
            let isPlain = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
            try demand(
                text.count <= 600 && text.utf8.count <= 20_000 && isPlain, "the text \(text.prefix(700))")
        }
        guard let usage else { return }
        let counts = [
            usage.inputTokens, usage.outputTokens, usage.cacheWriteTokens, usage.cacheWrite1hTokens,
            usage.cacheReadTokens, usage.webSearches,
        ]
        try demand(counts.allSatisfy { (0...2_000_000_000).contains($0) }, "the usage \(usage)")
    }

    private static func words(_ result: Outcome.Result) -> String {
        switch result {
        case .answer(let answer): "answer \(answer.body.text) \(answer.usage)"
        case .refusal(let refusal): "\(refusal)"
        // Where in the bytes a reader stopped is a matter of what it had seen.
        case .broken(let breakage): "\(breakage.kind) \(String(describing: breakage.usage))"
        case .abandoned: "abandoned"
        }
    }

    private static func batch(_ bytes: [UInt8]) throws {
        guard let batch = RemoteBatch(bytes) else { return }
        try demand(batch.requests >= 0 && !batch.id.isEmpty, "a batch of \(batch.requests)")
    }
}

private struct Ear: AnswerListener {
    func began(_ head: AnswerHead) {}

    /// What callers hear is JSON.
    func heard(_ event: AnswerEvent) {
        precondition(
            (try? JSON.parse(event.data, maxDepth: JSON.deepest)) != nil, "no JSON: \(event.data.text)")
    }
}
