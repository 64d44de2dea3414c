import JSON

/// Writes what the model says: a function of the request and the seed, and of nothing else.
struct AnswerWriter {
    let call: MessagesCall
    let marker: Marker?
    /// Some faults are answers of a kind.
    let fault: Fault.Kind?
    /// The usual length of free answers.
    let answerTokens: Int
    var random: SeededRandom

    /// The answer within its limits, its tokens counted.
    mutating func write() -> Answer {
        var answer = content()
        if call.isCompaction, !answer.isRefusal, call.maxTokens > 0 { answer = compaction() }
        let searches = call.searches(wanted: marker?.searches ?? 0)
        if searches > 0, !answer.isRefusal, !call.isCompaction { search(searches, &answer) }
        if call.isThinking, !answer.isRefusal, !call.isCompaction {
            answer.blocks.insert(.thinking("The request is clear; a short answer will do."), at: 0)
        }
        let maxTokens = fault == .maxTokens ? min(1, call.maxTokens) : call.maxTokens
        answer.limit(to: maxTokens, stoppingAt: call.stopSequences)
        return answer
    }

    private mutating func content() -> Answer {
        if call.maxTokens == 0 { return Answer([]) }
        switch fault {
        case .refusal: return Answer([], stopReason: "refusal")
        case .pauseTurn: return Answer([.text("Still working on it.")], stopReason: "pause_turn")
        default: break
        }
        if let say = marker?.say { return Answer([.text(say)]) }
        if marker?.echoes == true { return Answer([.text(call.question)]) }
        if let tokens = marker?.outputTokens {
            return Answer([.text(Prose.filler(about: call.question, tokens: max(1, tokens - 2), &random))])
        }
        if let tool = forcedTool { return use(tool) }
        return Answer([.text(text())])
    }

    /// A summary alone; nothing is sampled after it.
    private mutating func compaction() -> Answer {
        let words = Prose.paragraph(about: call.question, tokens: 24, &random)
        return Answer([.compaction("The conversation so far: " + words)], stopReason: "compaction")
    }

    /// Each search and what it found come before the text about it.
    private mutating func search(_ count: Int, _ answer: inout Answer) {
        let topics = Words.topics(of: call.question, count: 3).joined(separator: " ")
        var blocks: [Answer.Block] = []
        for number in 1...min(count, Self.mostSearchesShown) {
            let id = "srvtoolu_" + identifier(&random)
            blocks.append(.search(id: id, query: topics.isEmpty ? "example" : topics))
            blocks.append(.found(id: id, title: "Page \(number) about \(topics)", number: number))
        }
        answer.blocks = blocks + answer.blocks
    }

    /// More are counted, and not shown.
    private static let mostSearchesShown = 20

    private mutating func text() -> String {
        if let schema = call.schema {
            var filler = SchemaFiller(schema, about: call.question, confidence: confidence, random)
            return String(decoding: filler.fill(), as: UTF8.self)
        }
        if let label = label() { return label }
        let tokens = random.logNormal(median: Double(answerTokens), sigma: 0.35)
        return Prose.paragraph(about: call.question, tokens: Int(tokens), &random)
    }

    /// If the system prompt names labels, the question is what is judged; else the labels are in it too.
    private mutating func label() -> String? {
        let ofSystem = Labels.named(in: call.system)
        if !ofSystem.isEmpty { return Classifier(labels: ofSystem).label(for: call.question, &random) }
        let labels = Labels.named(in: call.question)
        guard !labels.isEmpty else { return nil }
        return Classifier(labels: labels).label(for: removing(labels, from: call.question), &random)
    }

    private func removing(_ labels: [String], from text: String) -> String {
        var bytes = Array(text.utf8)
        for label in labels {
            let pattern = Array(label.utf8)
            guard let at = bytes.firstRange(of: pattern) else { continue }
            bytes.removeSubrange(at..<at + pattern.count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private var forcedTool: MessagesCall.Tool? {
        switch call.toolChoice {
        case .tool(let name): call.tools.first { $0.name == name }
        case .any: call.tools.first
        case .auto, .none: nil
        }
    }

    /// Larger models are surer of themselves, so that a cascade has something to gain.
    private var confidence: ClosedRange<Double> { call.model.line == "haiku" ? 0.7...1 : 0.88...1 }

    private mutating func use(_ tool: MessagesCall.Tool) -> Answer {
        let id = "toolu_" + identifier(&random)
        var input = Array("{}".utf8)
        if let schema = tool.schema {
            var filler = SchemaFiller(schema, about: call.question, confidence: confidence, random)
            input = filler.fill()
        }
        return Answer([.toolUse(id: id, name: tool.name, input: input)], stopReason: "tool_use")
    }
}

/// 24 characters of the alphabet that the provider's ids use.
func identifier(_ random: inout SeededRandom) -> String {
    let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789".utf8)
    var bytes = Array("01".utf8)
    for _ in 0..<22 { bytes.append(random.pick(alphabet)) }
    return String(decoding: bytes, as: UTF8.self)
}
