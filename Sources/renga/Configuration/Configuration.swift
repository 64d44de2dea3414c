import JSON
import Jobs
import System

/// Who answers, under what limits, and for how much: from `renga.json`, or from the environment if there is none.
struct Configuration: Sendable {
    /// The file; nil if everything comes from the environment.
    var source: String?
    var providers: [ProviderTerms]
    var table: RouteTable
    /// If a job names no model: a name that the table knows.
    var model: String
    var budgets: [Budget]
    /// What the file says of prices, budgets and routes, by its keys; nothing if there is none.
    var stated: [String: String] = [:]

    /// The route of jobs that name no model.
    var standardRoute: RouteKey {
        guard let route = table.route(for: model) else { preconditionFailure("checked when it was read") }
        return route
    }
}

/// What the environment says by itself, and what it adds to a file.
struct SimpleSettings: Sendable {
    var baseURL: String
    /// Nil if none is set.
    var model: String?
    var limits: RouteLimits?

    static let standardModel = "claude-haiku-4-5-20251001"
}

extension Configuration {
    /// One provider that takes every model.
    init(_ simple: SimpleSettings) {
        let provider = ProviderTerms(
            name: "anthropic", baseURLs: [simple.baseURL], credential: SecretSetting.providerKey.name)
        let model = simple.model ?? SimpleSettings.standardModel
        self.init(
            providers: [provider], table: RouteTable(service: provider.key), model: model, budgets: [])
        state(simple.limits)
    }

    /// The simulator inside `up`.
    ///
    /// Its endpoint has no port in its name: that differs at every start, and jobs belong to the endpoint.
    func simulated() -> Configuration {
        var provider = providers[0]
        provider.baseURLs = ["simulator"]
        provider.simulated = true
        var configuration = self
        configuration.providers = [provider]
        configuration.table = RouteTable(
            routes: table.routes.map { terms in
                var terms = terms
                terms.key.service = provider.key
                return terms
            }, otherModels: provider.key, published: [provider.key])
        return configuration
    }

    /// Puts the environment's limits over those of the standard route; meters it does not name stay.
    mutating func state(_ limits: RouteLimits?) {
        guard let limits else { return }
        var routes = table.routes
        let key = standardRoute
        let index = routes.firstIndex { $0.key == key } ?? routes.endIndex
        if index == routes.endIndex { routes.append(RouteTerms(name: key.model, key: key)) }
        let known = routes[index].limits
        routes[index].limits.requests = limits.requests ?? known.requests
        routes[index].limits.inputTokens = limits.inputTokens ?? known.inputTokens
        routes[index].limits.outputTokens = limits.outputTokens ?? known.outputTokens
        routes[index].limits.burst = limits.burst ?? known.burst
        routes[index].limits.reservesMaxTokens = limits.reservesMaxTokens || known.reservesMaxTokens
        table = table.with(routes: routes)
    }
}
