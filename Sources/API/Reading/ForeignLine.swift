import JSON

/// Lines that are no jobs but rows of something else, by what their members give away: each is told what it is and how it
/// becomes a job.
enum ForeignLine {
    private static let known: [(members: [String], what: String, cure: String)] = [
        (
            ["modelInput"], "a line of an Amazon Bedrock batch",
            "jq -c '{key: .recordId, request: (.modelInput | del(.anthropic_version))}' FILE | renga enqueue -"
        ),
        (
            ["contents"], "a Gemini request",
            "jq -c '{prompt: .contents[-1].parts[0].text}' FILE | renga enqueue -"
        ),
        (
            ["conversations"], "a ShareGPT row of a data set",
            "jq -c '{prompt: .conversations[0].value}' FILE | renga enqueue -"
        ),
        (
            ["instruction"], "an instruction row of a data set",
            "jq -c '{prompt: ([.instruction, .input] | join(\"\\n\"))}' FILE | renga enqueue -"
        ),
        (["text"], "a row of a data set", "jq -c '{prompt: .text}' FILE | renga enqueue -"),
    ]

    /// Throws for what is known to be no job; lines with a prompt or a request are judged as jobs.
    static func refuse(_ line: JSON) throws(Problem) {
        guard line.given("prompt") == nil else { return }
        let request = line.given("request")
        if let request, request.given("contents") == nil { return }
        for (members, what, cure) in known {
            guard let member = members.first(where: { (request ?? line).given($0) != nil }) else { continue }
            throw Problem(
                .unknownField,
                "“\(member)” is not a field here: this is \(what), not a job; to make jobs of it: \(cure)",
                field: member)
        }
    }
}
