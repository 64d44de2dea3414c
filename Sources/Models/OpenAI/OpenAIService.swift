package import Jobs

/// Where chat completions are spoken, OpenAI's dialect: OpenAI itself, relays, local models.
package struct OpenAIService: ModelService {
    /// What the limit of an answer's tokens is called: both at once are refused by OpenAI itself.
    package enum LimitField: String, Sendable, CaseIterable {
        /// What relays and local models understand.
        case maxTokens = "max_tokens"
        /// What OpenAI's reasoning models insist on.
        case maxCompletionTokens = "max_completion_tokens"
    }

    package var key: ServiceKey
    /// With the version in it, as OpenAI's libraries want it: `https://api.openai.com/v1`.
    package var baseURL: String
    /// Empty if the provider asks for none: a local model.
    package var apiKey: Secret
    package var limitField: LimitField

    /// Without a word on `limitField`, OpenAI itself gets the name that all its models take.
    package init(key: ServiceKey, baseURL: String, apiKey: Secret, limitField: LimitField? = nil) {
        self.key = key
        self.baseURL = baseURL
        self.apiKey = apiKey
        self.limitField = limitField ?? Self.limitField(of: baseURL)
    }

    private static func limitField(of baseURL: String) -> LimitField {
        baseURL.lowercased().hasPrefix("https://api.openai.com") ? .maxCompletionTokens : .maxTokens
    }

    var completionsURL: String {
        let base = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        return base + "/chat/completions"
    }

    var headers: [(String, String)] {
        let headers = [("content-type", "application/json"), ("accept", "application/json")]
        return apiKey.isEmpty ? headers : [("authorization", "Bearer " + apiKey.reveal())] + headers
    }
}
