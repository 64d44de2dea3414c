package import JSON

/// A request for a chat completion, as the Messages request that asks the same.
///
/// The opposite of what providers of that dialect are asked. What has no counterpart is refused by its name, except what
/// `ignored` lists: it shapes no answer here.
package struct CompletionRequest: Sendable {
    /// What cannot be asked, by the parameter at fault.
    package struct Refused: Error, Hashable, Sendable {
        package var parameter: String
        package var message: String
    }

    /// A Messages request; `max_tokens` is in it only if the caller said so.
    package let messages: [UInt8]
    /// Whether the stream ends with a chunk of usage.
    package let includesUsage: Bool
    package let streams: Bool
    /// Parameters that were left out because the model takes none like them.
    package let dropped: [String]

    /// Taken and not passed on, as `docs/compatible-apis.md` says.
    package static let ignored: Set<String> = [
        "seed", "store", "metadata", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
        "safety_identifier", "verbosity", "prediction",
    ]

    /// `model` is the exact one that answers, if it is another than the request names.
    package init(_ body: JSON, answeredBy model: String? = nil) throws(Refused) {
        guard body.kind == .object else {
            throw Refused(parameter: "body", message: "the body must be a JSON object")
        }
        try Self.refuseWhatHasNoCounterpart(body)
        streams = try body.flag("stream") ?? false
        includesUsage =
            try body.object("stream_options")?.flag("include_usage", in: "stream_options.") ?? false
        let named = try body.text("model")
        let sampling = try Sampling(body, model: model ?? named)
        dropped = sampling.dropped
        let parts = try Self.parts(body, sampling, model)
        let streams = streams
        var writer = JSONWriter()
        writer.object { writer in
            if streams { writer.field("stream", true) }
            writer.raw(parts)
        }
        messages = writer.bytes
    }

    private static let known: Set<String> = ignored.union([
        "model", "messages", "stream", "stream_options", "user", "service_tier", "parallel_tool_calls",
        "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "tools", "tool_choice",
        "response_format", "reasoning_effort", "thinking",
    ])

    private static func refuseWhatHasNoCounterpart(_ body: JSON) throws(Refused) {
        for (name, value) in body.members ?? [] where !value.isNull {
            let isNeutral =
                switch name {
                case "n": value.int == 1
                case "logprobs": value.bool == false
                case "presence_penalty", "frequency_penalty", "top_logprobs": value.double == 0
                case "logit_bias": value.members?.isEmpty == true
                case "modalities": value.elements?.allSatisfy { $0.string == "text" } == true
                default: known.contains(name)
                }
            guard !isNeutral else { continue }
            throw Refused(
                parameter: name, message: "\(name) has no counterpart in the Messages API: leave it out")
        }
    }
}

// MARK: - The members of the Messages request

extension CompletionRequest {
    /// All members but `stream`, without the braces.
    private static func parts(
        _ body: JSON, _ sampling: Sampling, _ exact: String?
    ) throws(Refused) -> [UInt8] {
        var writer = JSONWriter()
        var conversation = Conversation()
        try conversation.take(body["messages"])
        let format = try Format(body)
        if let instruction = format.instruction { conversation.instruct(instruction) }
        let model = try body.text("model")
        if let model { writer.field("model", model) }
        if !conversation.system.isEmpty { writer.field("system", raw: conversation.systemJSON) }
        writer.field("messages", raw: conversation.json)
        let limit = try limit(body)
        if let limit { writer.field("max_tokens", limit) }
        sampling.write(to: &writer)
        try writeStops(body, to: &writer)
        let tools = try Tools(body)
        tools.write(to: &writer)
        let effort = Effort(
            model: model == nil ? nil : exact ?? model, limit: limit,
            mayThink: !tools.isForced && !conversation.answersCalls)
        try writeOutput(body, effort, format, to: &writer)
        try writeCaller(body, to: &writer)
        return writer.bytes
    }

    private static func limit(_ body: JSON) throws(Refused) -> Int? {
        for name in ["max_completion_tokens", "max_tokens"] {
            guard let value = body.given(name) else { continue }
            guard let number = value.int, number >= 1 else { throw .wrong(name, "a whole number above 0") }
            return number
        }
        return nil
    }

    private static func writeStops(_ body: JSON, to writer: inout JSONWriter) throws(Refused) {
        guard let stop = body.given("stop") else { return }
        let texts = stop.string.map { [$0] } ?? stop.elements?.compactMap(\.string)
        guard let texts, stop.string != nil || texts.count == stop.count else {
            throw Refused(parameter: "stop", message: "stop must be a string or an array of strings")
        }
        // Sequences of white space alone are refused there.
        let kept = texts.filter { $0.contains { !$0.isWhitespace } }
        guard !kept.isEmpty else { return }
        writer.key("stop_sequences")
        writer.array { writer in
            for text in kept { writer.string(text) }
        }
    }

    /// For whom, and at which tier.
    private static func writeCaller(_ body: JSON, to writer: inout JSONWriter) throws(Refused) {
        if let user = try body.text("user") {
            writer.key("metadata")
            writer.object { $0.field("user_id", user) }
        }
        switch try body.text("service_tier") {
        case nil: break
        case "auto": writer.field("service_tier", "auto")
        case "default": writer.field("service_tier", "standard_only")
        default:
            throw Refused(
                parameter: "service_tier",
                message: "service_tier must be auto or default: other tiers have no counterpart")
        }
    }
}
