import JSON
import Jobs

/// What a chat completion used, in the provider's count or a guess.
struct ChatUsage {
    var usage: Usage
    var reasoningTokens: Int?
    var isGuess = false

    /// Nil if prompt or completion is not told; `prompt_tokens` holds what a cache read and wrote too.
    init?(_ json: JSON) {
        let count = Usage.count
        guard let prompt = count(json["prompt_tokens"]), let output = count(json["completion_tokens"]) else {
            return nil
        }
        let details = json["prompt_tokens_details"]
        let read = min(prompt, count(details?["cached_tokens"]) ?? 0)
        let written = min(prompt - read, count(details?["cache_write_tokens"]) ?? 0)
        usage = Usage(
            inputTokens: prompt - read - written, outputTokens: output, cacheWriteTokens: written,
            cacheReadTokens: read)
        reasoningTokens = json["completion_tokens_details"]?["reasoning_tokens"]?.int
    }

    /// A token for every three bytes, which is more than most texts have: money rather reserved than missed.
    init(guessedFrom requestBytes: Int, answerBytes: Int) {
        usage = Usage(
            inputTokens: Int64((requestBytes + 2) / 3), outputTokens: Int64((answerBytes + 2) / 3))
        isGuess = true
    }

    func write(_ json: inout JSONWriter) {
        json.object { json in
            json.field("input_tokens", usage.inputTokens)
            json.field("output_tokens", usage.outputTokens)
            json.field("cache_creation_input_tokens", usage.cacheWriteTokens)
            json.field("cache_read_input_tokens", usage.cacheReadTokens)
            if let reasoningTokens {
                json.key("output_tokens_details")
                json.object { $0.field("thinking_tokens", reasoningTokens) }
            }
            if isGuess { json.field("estimated", true) }
        }
    }
}
