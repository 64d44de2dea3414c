import JSON
import Jobs
import Models

/// What the operator says of one provider.
struct ProviderTerms: Hashable, Sendable {
    /// The wire format that it speaks.
    enum Kind: String, CaseIterable, Sendable {
        /// The Messages API.
        case anthropic
        /// Chat completions: OpenAI itself, relays, local models.
        case openai
    }

    var name: String
    var kind: Kind = .anthropic
    /// At least one; the first gives jobs their endpoint, the others lead to the same models.
    var baseURLs: [String]
    /// The environment variable that holds the key; empty if none is asked for.
    var credential: String
    /// `anthropic-version`.
    var apiVersion = AnthropicService.version
    /// `anthropic-beta`.
    var betas: [String] = []
    /// What the limit of an answer's tokens is called; nil for what is usual at its address.
    var limitField: OpenAIService.LimitField?
    /// Whether it takes batches at half the price.
    var takesBatches = true
    /// Whether a simulator answers: its jobs are marked, and never mixed with real ones.
    var simulated = false

    /// Where this provider's jobs belong.
    var key: ServiceKey {
        ServiceKey(provider: name, endpoint: baseURLs[0], credential: credential, simulated: simulated)
    }
}

extension ProviderTerms {
    private static let keys = [
        "kind", "base_urls", "credential", "api_version", "betas", "limit_field", "simulated",
        "message_batches",
    ]
    /// More addresses than any provider has regions.
    private static let mostURLs = 16

    /// `baseURL` is the address of a provider of Anthropic's kind that names none.
    init(name: String, _ value: ConfigurationValue, baseURL: String) throws(ConfigurationError) {
        let object = try value.object(Self.keys)
        let kind = try object["kind"]?.choice(Kind.self) ?? .anthropic
        self.init(
            name: name, kind: kind, baseURLs: try Self.addresses(object, kind: kind, standard: baseURL),
            credential: try Self.credential(object, kind: kind))
        if kind == .openai, let stray = object["api_version"] ?? object["betas"] ?? object["message_batches"]
        {
            throw stray.refused("only a provider of kind \"anthropic\" has it")
        }
        if kind == .anthropic, let stray = object["limit_field"] {
            throw stray.refused("only a provider of kind \"openai\" has it")
        }
        limitField = try object["limit_field"]?.choice(OpenAIService.LimitField.self)
        apiVersion = try object["api_version"]?.text("a version such as \"2023-06-01\"") ?? apiVersion
        if let value = object["betas"] {
            betas = []
            for beta in try value.elements() { betas.append(try beta.text("the name of a beta")) }
        }
        simulated = try object["simulated"]?.flag() ?? false
        takesBatches = try object["message_batches"]?.flag() ?? (kind == .anthropic)
    }

    private static func addresses(
        _ object: ConfigurationObject, kind: Kind, standard: String
    ) throws(ConfigurationError) -> [String] {
        if kind == .anthropic, object["base_urls"] == nil { return [standard] }
        let list = try object.required("base_urls", "an array of addresses, with /v1 in them")
        var addresses: [String] = []
        let parse = kind == .anthropic ? WebAddress.messagesBase : WebAddress.chatBase
        for element in try list.elements() {
            guard let address = element.json.string.flatMap(parse) else {
                throw element.expected(WebAddress.expectation)
            }
            guard !addresses.contains(address) else { throw element.refused("is in the list twice") }
            addresses.append(address)
        }
        guard (1...mostURLs).contains(addresses.count) else {
            throw list.refused("expected 1 to \(mostURLs) addresses")
        }
        return addresses
    }

    /// The name only: a key itself, put here by mistake, is not repeated in the message.
    private static func credential(_ object: ConfigurationObject, kind: Kind) throws(ConfigurationError)
        -> String
    {
        guard let value = object["credential"] else {
            return kind == .anthropic ? SecretSetting.providerKey.name : ""
        }
        let isName: (String) -> Bool = { text in
            !text.isEmpty && text.utf8.count <= 128
                && text.utf8.allSatisfy {
                    (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
                }
        }
        guard let name = value.json.string, isName(name) else {
            throw value.refused(
                "expected the name of an environment variable in capitals, such as \"ANTHROPIC_API_KEY\"")
        }
        return name
    }
}
