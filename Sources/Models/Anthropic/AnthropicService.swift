package import HTTPClient
package import Jobs

/// Where the Messages API is spoken, and by whose credential.
package struct AnthropicService: ModelService {
    package var key: ServiceKey
    /// Without `/v1`; a path before it is kept.
    package var baseURL: String
    package var apiKey: Secret
    /// `anthropic-version`.
    package var version: String
    /// `anthropic-beta`, joined with commas.
    package var betas: [String]

    /// The version that takes every request the API ever took.
    ///
    /// Version 2026-10-21 refuses `temperature`, `top_p` and `top_k` even if the model knows them; answers
    /// are alike.
    package static let version = "2023-06-01"

    package init(
        key: ServiceKey, baseURL: String, apiKey: Secret, version: String = Self.version, betas: [String] = []
    ) {
        self.key = key
        self.baseURL = baseURL
        self.apiKey = apiKey
        self.version = version
        self.betas = betas
    }

    var messagesURL: String {
        let base = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        return base + "/v1/messages"
    }

    /// `betas` are those that the call asks for itself.
    func headers(betas asked: [String] = []) -> [(String, String)] {
        var headers = [
            ("x-api-key", apiKey.reveal()), ("anthropic-version", version),
            ("content-type", "application/json"),
        ]
        let all = betas + asked.filter { !betas.contains($0) }
        if !all.isEmpty { headers.append(("anthropic-beta", all.joined(separator: ","))) }
        return headers
    }
}

/// How calls are made, whatever the service.
package struct CallSettings: Sendable {
    package var timeouts: HTTPRequest.Timeouts
    /// Calls that may answer with more tokens than this are made as streams.
    ///
    /// A plain call is silent until it is done, and a connection that is silent for minutes is cut by some
    /// proxy.
    package var streamAbove: Int
    /// A larger answer is refused: it is held in memory and in one row.
    package var maxAnswerBytes: Int

    package init(
        timeouts: HTTPRequest.Timeouts = .init(connect: 2, write: 5, idle: 120, head: 600, call: 3600),
        streamAbove: Int = 4096,
        maxAnswerBytes: Int = 32 << 20
    ) {
        self.timeouts = timeouts
        self.streamAbove = streamAbove
        self.maxAnswerBytes = maxAnswerBytes
    }

    /// Events wrap each token in some hundred bytes of their own.
    var maxStreamBytes: Int { maxAnswerBytes * 8 }
}
