import JSON

/// What the provider refuses with 400 before any model sees it, in its words as far as they are known.
enum Validation {
    static func fields(of body: JSON, _ purpose: MessagesCall.Purpose) throws(APIError) {
        for (name, _) in body.members ?? [] {
            guard known.contains(name), purpose == .message || !answerOnly.contains(name) else {
                throw .invalid("\(name): Extra inputs are not permitted")
            }
        }
    }

    static func modelName(_ body: JSON) throws(APIError) -> String {
        guard let value = body["model"] else { throw .invalid("model: Field required") }
        guard let name = value.string else { throw .invalid("model: Input should be a valid string") }
        guard !name.isEmpty else { throw .invalid("model: String should have at least 1 character") }
        return name
    }

    static func maxTokens(_ body: JSON, _ model: Model) throws(APIError) -> Int {
        guard let value = body["max_tokens"] else { throw .invalid("max_tokens: Field required") }
        guard let count = value.int else { throw .invalid("max_tokens: Input should be a valid integer") }
        guard count >= 0 else { throw .invalid("max_tokens: must be greater than or equal to 1") }
        guard count <= model.maximumOutput else {
            throw .invalid(
                "max_tokens: \(count) > \(model.maximumOutput), which is the maximum allowed number of output tokens "
                    + "for \(model.id)")
        }
        return count
    }

    static func bool(_ body: JSON, _ name: String) throws(APIError) -> Bool {
        guard let value = body[name], !value.isNull else { return false }
        guard let bool = value.bool else { throw .invalid("\(name): Input should be a valid boolean") }
        return bool
    }

    static func stopSequences(_ body: JSON) throws(APIError) -> [String] {
        guard let value = body["stop_sequences"], !value.isNull else { return [] }
        guard let elements = value.elements else {
            throw .invalid("stop_sequences: Input should be a valid list")
        }
        var sequences: [String] = []
        for (index, element) in elements.enumerated() {
            guard let text = element.string else {
                throw .invalid("stop_sequences.\(index): Input should be a valid string")
            }
            guard !trimmed(text).isEmpty else {
                throw .invalid("stop_sequences: each stop sequence must contain non-whitespace")
            }
            sequences.append(text)
        }
        return sequences
    }

    /// The newer version knows no sampling parameters, newer models take none but the defaults, and those from 4.5 on
    /// one of two.
    static func sampling(_ body: JSON, _ model: Model, _ version: APIVersion) throws(APIError) {
        for name in ["temperature", "top_p", "top_k"] {
            guard let value = body[name] else { continue }
            if version == .v2026 { throw .invalid("\(name): Extra inputs are not permitted") }
            guard let number = value.double else { throw .invalid("\(name): Input should be a valid number") }
            guard name == "top_k" ? number >= 0 : (0...1).contains(number) else {
                throw .invalid("\(name): \(number) is out of range")
            }
            if model.generation >= .claude47, name == "top_k" || number != 1 {
                throw .invalid("\(name): non-default values are not supported by \(model.id)")
            }
        }
        guard model.generation >= .claude45, body["temperature"] != nil, body["top_p"] != nil else { return }
        throw .invalid(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    }

    static func thinking(_ body: JSON, _ model: Model, maxTokens: Int) throws(APIError) -> Bool {
        guard let thinking = body["thinking"], !thinking.isNull else { return false }
        switch thinking["type"]?.string {
        case "enabled":
            guard model.generation == .claude45 || model.generation == .claude46 else {
                throw .invalid("thinking: type \"enabled\" is not supported by \(model.id)")
            }
            guard let budget = thinking["budget_tokens"]?.int, budget >= 1024 else {
                throw .invalid(
                    "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
            }
            guard maxTokens == 0 || budget < maxTokens else {
                throw .invalid("`max_tokens` must be greater than `thinking.budget_tokens`")
            }
            return true
        case "adaptive":
            guard model.generation >= .claude46 else {
                throw .invalid("thinking: adaptive thinking is not supported on this model")
            }
            return true
        case "disabled", "between_tools": return false
        default: throw .invalid("thinking: Input tag is not one of 'adaptive', 'enabled', 'disabled'")
        }
    }

    static func isInUS(_ body: JSON, _ model: Model) throws(APIError) -> Bool {
        guard let geo = body["inference_geo"], !geo.isNull else { return false }
        guard model.generation >= .claude46 else {
            throw .invalid("inference_geo: not supported by \(model.id)")
        }
        guard let name = geo.string, ["us", "global"].contains(name) else {
            throw .invalid("inference_geo: Input should be 'us' or 'global'")
        }
        return name == "us"
    }

    private static let known: Set<String> = answerOnly.union([
        "model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "output_format",
        "cache_control", "speed", "mcp_servers", "context_management", "compaction", "thread",
    ])

    private static let answerOnly: Set<String> = [
        "max_tokens", "stream", "metadata", "stop_sequences", "service_tier", "temperature", "top_p", "top_k",
        "container", "inference_geo", "diagnostics", "fallbacks", "cache_hint", "context_hint",
        "billing_policy", "fallback_credit_token",
    ]
}
