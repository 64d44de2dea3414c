/// The wire format that a service speaks; the provider's name says nothing of it.
package enum Dialect: String, Sendable, CaseIterable {
    /// The Messages API.
    case anthropic
    /// Chat completions, as OpenAI, relays and local models speak them.
    case openai
}
