import JSON

extension CompletionRequest {
    /// The form of the answer, and how hard to think about it.
    static func writeOutput(
        _ body: JSON, _ effort: Effort, _ format: Format, to writer: inout JSONWriter
    ) throws(Refused) {
        var output = JSONWriter()
        let asked = try body.text("reasoning_effort")
        if let thinking = try body.object("thinking") {
            guard asked == nil else {
                throw Refused(
                    parameter: "thinking", message: "thinking and reasoning_effort: give one of them")
            }
            writer.field("thinking", raw: thinking.raw)
        }
        if let asked { try effort.write(asked, to: &writer, output: &output) }
        format.write(to: &output)
        guard !output.bytes.isEmpty else { return }
        writer.key("output_config")
        let members = output.bytes
        writer.object { $0.raw(members) }
    }

    /// An effort in the terms of the model that is asked.
    ///
    /// Up to Claude 4.5 models think within a budget of tokens and refuse an effort; later ones take an effort and think as
    /// they see fit. No thinking may be asked for if a call is forced, nor begun between a call and what answers it.
    ///
    /// Source: https://platform.claude.com/docs/en/build-with-claude/effort and …/extended-thinking
    struct Effort {
        let model: String?
        let limit: Int?
        let mayThink: Bool

        private static let leastBudget = 1024
        private static let thinkingInBudgets = [
            "haiku-4-5", "sonnet-4-5", "opus-4-5", "opus-4-1", "opus-4-0", "opus-4-2025", "sonnet-4-0",
            "sonnet-4-2025", "3-7-sonnet",
        ]

        func write(
            _ effort: String, to writer: inout JSONWriter, output: inout JSONWriter
        ) throws(Refused) {
            switch effort {
            case "none": writer.field("thinking", raw: #"{"type":"disabled"}"#.utf8)
            case "minimal", "low": try write("low", budget: 1024, to: &writer, &output)
            case "medium": try write(effort, budget: 2048, to: &writer, &output)
            case "high", "xhigh", "max": try write(effort, budget: 4096, to: &writer, &output)
            default: throw .wrong("reasoning_effort", "none, minimal, low, medium, high, xhigh or max")
            }
        }

        private func write(
            _ effort: String, budget: Int, to writer: inout JSONWriter, _ output: inout JSONWriter
        ) throws(Refused) {
            guard let model else {
                throw Refused(
                    parameter: "reasoning_effort",
                    message: "reasoning_effort needs a model, as each has its own way to think")
            }
            if Self.thinkingInBudgets.contains(where: model.contains) {
                if mayThink { try write(budget: budget, to: &writer) }
            } else {
                output.field("effort", effort)
                if mayThink, model.contains("claude") {
                    writer.field("thinking", raw: #"{"type":"adaptive"}"#.utf8)
                }
            }
        }

        /// At most half of what the answer may have, so that some of it is left for the answer itself.
        private func write(budget: Int, to writer: inout JSONWriter) throws(Refused) {
            guard let limit, limit > Self.leastBudget else {
                throw Refused(
                    parameter: "reasoning_effort",
                    message:
                        "reasoning_effort needs max_completion_tokens above \(Self.leastBudget) with this model: it thinks in \(Self.leastBudget) tokens or more"
                )
            }
            writer.key("thinking")
            writer.object { writer in
                writer.field("type", "enabled")
                writer.field("budget_tokens", min(budget, max(Self.leastBudget, limit / 2)))
            }
        }
    }
}
