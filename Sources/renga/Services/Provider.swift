import Jobs
import Models

/// Who answers, and by whose credential.
struct Provider: Sendable {
    var service: AnthropicService

    /// Where jobs of this provider belong.
    var key: ServiceKey { service.key }

    /// Throws where no key is given: jobs would only wait.
    static func real(_ invocation: Invocation, _ settings: ServiceSettings) throws -> Provider {
        guard let secret = try invocation.secret(.providerKey) else {
            throw UsageError(
                """
                no provider's key: set ANTHROPIC_API_KEY (or ANTHROPIC_API_KEY_FILE). \
                To try renga without one, use `renga up`: it brings a simulator.
                """)
        }
        let key = ServiceKey(
            provider: "anthropic", endpoint: settings.baseURL, credential: SecretSetting.providerKey.name,
            simulated: false)
        return Provider(service: AnthropicService(key: key, baseURL: settings.baseURL, apiKey: secret))
    }

    /// The simulator inside `up`.
    ///
    /// Its endpoint has no port in its name: that differs at every start, and jobs belong to the endpoint.
    static func simulated(at url: String) -> Provider {
        let key = ServiceKey(
            provider: "anthropic", endpoint: "simulator", credential: SecretSetting.providerKey.name,
            simulated: true)
        return Provider(service: AnthropicService(key: key, baseURL: url, apiKey: Secret("simulated")))
    }
}
