/// What the operator says of one route.
package struct RouteTerms: Hashable, Sendable {
    /// What the configuration calls it; jobs may ask for it by this name.
    package var name: String
    package var key: RouteKey
    /// Nil meters are learned.
    package var limits: RouteLimits
    /// Count before the table of prices, each from its date on; none leave the table's.
    package var prices: [PriceTable.Entry]
    /// Calls in flight at once, over all workers; nil for no cap.
    package var concurrency: Int?
    /// Tried in this order.
    package var fallbacks: [Fallback]

    package init(
        name: String, key: RouteKey, limits: RouteLimits = RouteLimits(), prices: [PriceTable.Entry] = [],
        concurrency: Int? = nil, fallbacks: [Fallback] = []
    ) {
        self.name = name
        self.key = key
        self.limits = limits
        self.prices = prices
        self.concurrency = concurrency
        self.fallbacks = fallbacks
    }
}

/// Another route that may answer in a route's place.
package struct Fallback: Hashable, Sendable {
    /// Why a call leaves its own route.
    package enum Cause: String, Sendable, CaseIterable {
        /// 529, or 503 that says so.
        case overloaded
        /// The route's breaker is open.
        case breaker
        /// A limit per minute, or the provider's `retry-after`; a route whose calls in flight are capped is waited for.
        case rateLimit = "rate_limit"
        /// A budget or the provider's spend cap.
        case budget
        /// The provider refused the request for good.
        case refused
        case contextTooLong = "context_too_long"
    }

    package var route: RouteKey
    package var causes: Set<Cause>

    package init(route: RouteKey, causes: Set<Cause>) {
        self.route = route
        self.causes = causes
    }
}

/// Which route a model's name leads to, and what is known of each route; pure, made from the configuration.
package struct RouteTable: Sendable {
    /// In the order of the configuration.
    package let routes: [RouteTerms]
    /// Names that stand for a route.
    package let aliases: [String: RouteKey]
    /// Takes the models that no route names; nil if those are refused.
    package let otherModels: ServiceKey?
    /// Where the published names that stand for one dated model are known.
    private let published: Set<ServiceKey>
    private let byKey: [RouteKey: RouteTerms]
    private let byName: [String: RouteKey]
    private let byModel: [String: RouteKey]

    /// If several routes have one model, the first one takes those who ask for it by the model alone.
    package init(
        routes: [RouteTerms], aliases: [String: RouteKey] = [:], otherModels: ServiceKey? = nil,
        published: Set<ServiceKey> = []
    ) {
        self.routes = routes
        self.published = published
        self.aliases = aliases
        self.otherModels = otherModels
        byKey = Dictionary(routes.map { ($0.key, $0) }) { first, _ in first }
        byName = Dictionary(
            routes.map { ($0.name, $0.key) } + routes.map { ($0.key.name, $0.key) }
        ) { first, _ in first }
        byModel = Dictionary(routes.map { ($0.key.model, $0.key) }) { first, _ in first }
    }

    /// A table in which one service takes every model.
    package init(service: ServiceKey) {
        self.init(routes: [], otherModels: service, published: [service])
    }

    /// The route that answers who asks for a model: by alias, by a route's name, by exact model, by
    /// `provider/model`; nil if no route takes it.
    ///
    /// What is sent upstream is the key's model.
    package func route(for model: String) -> RouteKey? {
        if let known = aliases[model] ?? byModel[model] ?? byName[model] { return known }
        if let dated = answering(model) { return byModel[dated] }
        return otherModels.map { RouteKey(service: $0, model: answering(model, at: $0) ?? model) }
    }

    /// The dated model that a published name stands for: one model, one route, with one set of limits and answers.
    private func answering(_ name: String) -> String? {
        guard let model = ModelLifecycle.dated(name), let key = byModel[model] else { return nil }
        return published.contains(key.service) ? model : nil
    }

    private func answering(_ name: String, at service: ServiceKey) -> String? {
        published.contains(service) ? ModelLifecycle.dated(name) : nil
    }

    /// The same with other routes.
    package func with(routes: [RouteTerms]) -> RouteTable {
        RouteTable(routes: routes, aliases: aliases, otherModels: otherModels, published: published)
    }

    /// A route by its own name, or by `provider/model`; nil if there is none, whatever takes other models.
    package func route(named name: String) -> RouteKey? {
        if let known = byName[name] { return known }
        guard let service = otherModels, name.hasPrefix(service.provider + "/") else { return nil }
        let model = String(name.dropFirst(service.provider.count + 1))
        return RouteKey(service: service, model: answering(model, at: service) ?? model)
    }

    /// What the operator said of a route; nil if nothing.
    package func terms(of route: RouteKey) -> RouteTerms? { byKey[route] }

    /// The chain of a route, in its order.
    package func fallbacks(of route: RouteKey) -> [Fallback] { byKey[route]?.fallbacks ?? [] }

    /// Who may answer in whose place.
    package var chains: FallbackChains {
        FallbackChains(Dictionary(routes.map { ($0.key, $0.fallbacks) }) { first, _ in first })
    }

    /// Every service that a route or the other models belong to, each once.
    package var services: [ServiceKey] {
        var seen: Set<ServiceKey> = []
        return (routes.map(\.key.service) + (otherModels.map { [$0] } ?? [])).filter {
            seen.insert($0).inserted
        }
    }

    /// All names that a job may ask for; for messages.
    package var names: [String] {
        var seen: Set<String> = []
        return (aliases.keys.sorted() + routes.flatMap { [$0.name, $0.key.model] }).filter {
            seen.insert($0).inserted
        }
    }
}
