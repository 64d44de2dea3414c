/// Sentences that read like an answer, about the longest words of the question.
enum Prose {
    /// Whole sentences of about so many tokens: at least one, and seldom more than a sentence too many.
    static func paragraph(about question: String, tokens: Int, _ random: inout SeededRandom) -> String {
        let topics = Words.topics(of: question, count: 5)
        let subjects = topics.isEmpty ? ["the question", "the details", "the context"] : topics
        var text = ""
        while TokenCount.text(text) < tokens {
            let template = random.pick(text.isEmpty ? openings : sentences)
            if !text.isEmpty { text += " " }
            text += fill(template, subjects, &random)
        }
        return text
    }

    /// Text of exactly so many tokens, for calls that ask for a size.
    static func filler(about question: String, tokens: Int, _ random: inout SeededRandom) -> String {
        guard tokens > 0 else { return "" }
        return prefix(of: paragraph(about: question, tokens: tokens + 1, &random), bytes: tokens * 4)
    }

    private static func fill(_ template: [String], _ subjects: [String], _ random: inout SeededRandom)
        -> String
    {
        var sentence = ""
        for piece in template { sentence += piece.isEmpty ? random.pick(subjects) : piece }
        return sentence
    }

    // An empty piece is replaced by a subject.
    private static let openings: [[String]] = [
        ["In short, ", "", " is what matters most here."],
        ["The key point is how ", "", " relates to ", "", "."],
    ]

    private static let sentences: [[String]] = [
        ["It helps to look at ", "", " first and at ", "", " afterwards."],
        ["In practice, ", "", " depends on the circumstances."],
        ["A simple example makes ", "", " clear."],
        ["The details of ", "", " can vary, but the principle stays the same."],
    ]
}
