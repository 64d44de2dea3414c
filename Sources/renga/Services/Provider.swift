import HTTPClient
import Jobs
import Models
import Telemetry

/// A provider with its key, as this process has it.
struct Provider: Sendable {
    var terms: ProviderTerms
    /// Where it is called; one and the same as its endpoint but for the simulator inside `up`.
    var baseURLs: [String]
    /// Nil if it asks for none, or if the environment has none.
    var secret: Secret?

    /// Whether it can be called from here.
    var isReady: Bool { secret != nil || terms.credential.isEmpty }

    /// What to set to make it ready.
    var credentialHint: String { "\(terms.credential) (or \(terms.credential)_FILE)" }
}

/// All providers of the configuration.
struct Providers: Sendable {
    var all: [Provider]

    var ready: [Provider] { all.filter(\.isReady) }

    init(_ configuration: Configuration, _ invocation: Invocation) throws {
        all = try configuration.providers.map { terms in
            let secret = terms.credential.isEmpty ? nil : try invocation.secret(.of(terms))
            return Provider(terms: terms, baseURLs: terms.baseURLs, secret: secret)
        }
    }

    /// Throws if no provider can be called: jobs would only wait.
    static func real(_ configuration: Configuration, _ invocation: Invocation) throws -> Providers {
        let providers = try Providers(configuration, invocation)
        guard providers.ready.isEmpty else { return providers }
        let hints = providers.all.map(\.credentialHint).joined(separator: ", or ")
        throw UsageError(
            """
            no provider has a key: set \(hints). \
            To try renga without a key, use `renga up`\(configuration.source == nil ? "" : " without RENGA_CONFIG"): it includes a simulator.
            """)
    }

    /// The simulator inside `up`.
    static func simulated(_ configuration: Configuration, at url: String) -> Providers {
        var providers = Providers()
        providers.all = configuration.providers.map { terms in
            Provider(terms: terms, baseURLs: [url], secret: Secret("simulated"))
        }
        return providers
    }

    private init() { all = [] }
}

extension Providers {
    /// One caller over all providers that are ready, whatever they speak and wherever they are.
    func caller(_ client: HTTPClient, _ settings: CallSettings, clock: any Clock, log: Log)
        -> DispatchingCaller
    {
        DispatchingCaller(ready.map { $0.caller(client, settings, clock: clock, log: log) })
    }
}

extension Providers {
    /// Those that take batches, each at its first address: a batch is known there only.
    var batchServices: [AnthropicService] {
        ready.filter(\.terms.takesBatches).compactMap { $0.anthropic(at: $0.baseURLs[0]) }
    }
}

extension Provider {
    /// Nil if it speaks another language.
    fileprivate func anthropic(at url: String) -> AnthropicService? {
        guard terms.kind == .anthropic else { return nil }
        return AnthropicService(
            key: terms.key, baseURL: url, apiKey: secret ?? Secret(""), version: terms.apiVersion,
            betas: terms.betas)
    }

    fileprivate func caller(
        _ client: HTTPClient, _ settings: CallSettings, clock: any Clock, log: Log
    ) -> any ModelCaller {
        let callers = baseURLs.map { (url: $0, caller: caller(at: $0, client, settings, clock: clock)) }
        guard callers.count > 1 else { return callers[0].caller }
        let name = terms.name
        return EndpointCaller(service: terms.key, endpoints: callers, clock: clock) { endpoints in
            let ranking = endpoints.map { endpoint in
                let latency = endpoint.latency.map { " \(Int($0)) ms" } ?? ""
                return endpoint.url + (endpoint.isWell ? latency : " failing")
            }
            log.notice(
                "endpoints ranked",
                ["provider": "\(name)", "ranking": "\(ranking.joined(separator: ", "))"])
        }
    }

    private func caller(
        at url: String, _ client: HTTPClient, _ settings: CallSettings, clock: any Clock
    ) -> any ModelCaller {
        if let service = anthropic(at: url) {
            return AnthropicCaller(services: [service], client: client, settings: settings, clock: clock)
        }
        let service = OpenAIService(
            key: terms.key, baseURL: url, apiKey: secret ?? Secret(""), limitField: terms.limitField)
        return OpenAICaller(services: [service], client: client, settings: settings, clock: clock)
    }
}

extension SecretSetting {
    /// The key of a provider, by the name that the configuration gives its variable.
    static func of(_ terms: ProviderTerms) -> SecretSetting {
        SecretSetting(name: terms.credential, help: "the key of \(terms.name)")
    }
}
