import JSON
import Jobs
import System

extension Configuration {
    /// Far more than is written by hand.
    private static let limit = 1 << 20
    private static let keys = [
        "model", "providers", "routes", "aliases", "other_models", "budgets", "alerts",
    ]

    /// Reads a file; throws `UsageError` with the place of what is wrong and what was expected there.
    init(file path: String, _ simple: SimpleSettings) throws {
        do {
            let json = try JSON.parse(try readFile(path, limit: Self.limit))
            try self.init(json, simple)
            source = path
        } catch let error as SystemError {
            throw UsageError("RENGA_CONFIG is “\(path)”; expected a readable file: \(error)")
        } catch let error as JSONError {
            throw UsageError("RENGA_CONFIG is “\(path)”; expected JSON: \(error)")
        } catch let error as ConfigurationError {
            throw UsageError("RENGA_CONFIG is “\(path)”: \(error)")
        }
    }

    init(_ json: JSON, _ simple: SimpleSettings) throws(ConfigurationError) {
        let root = try ConfigurationValue(path: "$", json: json).object(Self.keys)
        let providers = try Self.providers(root, simple)
        let routes = try Self.routes(root, providers)
        let table = RouteTable(
            routes: routes, aliases: try Self.aliases(root, routes),
            otherModels: try Self.otherModels(root, providers),
            published: Set(providers.filter { $0.kind == .anthropic }.map(\.key)))
        self.init(
            providers: providers, table: table, model: try Self.model(root, table, simple),
            budgets: try Self.budgets(root))
        stated = statement
        state(simple.limits)
    }

    private static func providers(
        _ root: ConfigurationObject, _ simple: SimpleSettings
    ) throws(ConfigurationError) -> [ProviderTerms] {
        let value = try root.required("providers", "an object of providers by name")
        var providers: [ProviderTerms] = []
        for entry in try value.named() {
            let name = try plain(entry)
            providers.append(try ProviderTerms(name: name, entry.value, baseURL: simple.baseURL))
        }
        guard !providers.isEmpty else { throw value.refused("expected one provider or more") }
        return providers
    }

    private static func routes(
        _ root: ConfigurationObject, _ providers: [ProviderTerms]
    ) throws(ConfigurationError) -> [RouteTerms] {
        guard let value = root["routes"] else { return [] }
        var entries: [RouteEntry] = []
        for entry in try value.named() {
            let read = try RouteEntry(name: plain(entry), entry.value, providers: providers)
            if let twin = entries.first(where: { $0.terms.key == read.terms.key }) {
                throw entry.value.refused("has the same provider and model as \(twin.terms.name)")
            }
            entries.append(read)
        }
        let all = entries.map(\.terms)
        var routes: [RouteTerms] = []
        for var entry in entries {
            for value in try entry.fallbacks?.elements() ?? [] {
                entry.terms.fallbacks.append(try Fallback(value, routes: all, of: entry.terms))
            }
            routes.append(entry.terms)
        }
        return routes
    }

    private static func aliases(
        _ root: ConfigurationObject, _ routes: [RouteTerms]
    ) throws(ConfigurationError) -> [String: RouteKey] {
        var aliases: [String: RouteKey] = [:]
        for entry in try root["aliases"]?.named() ?? [] {
            if routes.contains(where: { $0.name == entry.name }) {
                throw entry.value.refused("\(entry.name) is already the name of a route")
            }
            guard let route = routes.first(where: { $0.name == entry.value.json.string }) else {
                throw entry.value.expected(
                    "one of the routes: " + routes.map(\.name).joined(separator: ", "))
            }
            aliases[entry.name] = route.key
        }
        return aliases
    }

    /// If there is one provider only, it takes them.
    private static func otherModels(
        _ root: ConfigurationObject, _ providers: [ProviderTerms]
    ) throws(ConfigurationError) -> ServiceKey? {
        guard let value = root["other_models"] else { return providers.count == 1 ? providers[0].key : nil }
        if value.json.bool == false { return nil }
        guard let provider = providers.first(where: { $0.name == value.json.string }) else {
            throw value.expected(
                "false, or one of the providers: " + providers.map(\.name).joined(separator: ", "))
        }
        return provider.key
    }

    private static func model(
        _ root: ConfigurationObject, _ table: RouteTable, _ simple: SimpleSettings
    ) throws(ConfigurationError) -> String {
        let value = root["model"]
        let named = try value?.text("a model, or a name of one")
        guard let model = simple.model ?? named ?? table.routes.first?.name else {
            guard table.otherModels != nil else {
                throw ConfigurationError(
                    path: "$.routes", message: "is missing; expected one route or more")
            }
            return SimpleSettings.standardModel
        }
        guard table.route(for: model) != nil else {
            let path = simple.model == nil ? "$.model" : "RENGA_MODEL"
            throw ConfigurationError(
                path: path,
                message: "no route takes “\(model)”\(Suggestion.text(for: model, among: table.names))")
        }
        return model
    }

    private static func plain(
        _ entry: (name: String, value: ConfigurationValue)
    ) throws(ConfigurationError) -> String {
        let isPlain = entry.name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
        guard isPlain, (1...64).contains(entry.name.utf8.count) else {
            throw entry.value.refused("expected a name of 1 to 64 characters of A–Z a–z 0–9 . _ -")
        }
        return entry.name
    }
}
