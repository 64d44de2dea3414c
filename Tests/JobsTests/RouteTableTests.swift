import Jobs
import Testing

@Suite struct RouteTableTests {
    private let anthropic = ServiceKey(
        provider: "anthropic", endpoint: "https://api.anthropic.com", credential: "ANTHROPIC_API_KEY",
        simulated: false)
    private let local = ServiceKey(
        provider: "local", endpoint: "http://127.0.0.1:11434", credential: "", simulated: false)

    private var table: RouteTable {
        let haiku = RouteKey(service: anthropic, model: "claude-haiku-4-5-20251001")
        let sonnet = RouteKey(service: anthropic, model: "claude-sonnet-5-5")
        let twin = RouteKey(service: local, model: "claude-sonnet-5-5")
        return RouteTable(
            routes: [
                RouteTerms(
                    name: "haiku", key: haiku, concurrency: 3,
                    fallbacks: [Fallback(route: sonnet, causes: [.overloaded])]),
                RouteTerms(name: "sonnet", key: sonnet),
                RouteTerms(name: "own", key: twin),
            ],
            aliases: ["claude-haiku-4-5": haiku])
    }

    @Test(arguments: ["claude-haiku-4-5", "claude-haiku-4-5-20251001", "haiku"])
    func `an alias, a route's name and the exact model lead to one route`(name: String) {
        #expect(table.route(for: name)?.model == "claude-haiku-4-5-20251001")
    }

    @Test func `of routes with one model the first takes those who ask by the model alone`() {
        #expect(table.route(for: "claude-sonnet-5-5")?.service == anthropic)
        #expect(table.route(for: "local/claude-sonnet-5-5")?.service == local)
        #expect(table.route(for: "own")?.service == local)
    }

    @Test func `a model that no route names goes to the service for other models, or nowhere`() {
        #expect(table.route(for: "gpt-9") == nil)
        #expect(
            RouteTable(service: anthropic).route(for: "gpt-9") == RouteKey(service: anthropic, model: "gpt-9")
        )
    }

    @Test func `a published name without a date is the dated model's route, unless a route has it`() {
        let dated = RouteKey(service: anthropic, model: "claude-haiku-4-5-20251001")
        let all = RouteTable(service: anthropic)
        #expect(all.route(for: "claude-haiku-4-5") == dated)
        #expect(all.route(named: "anthropic/claude-haiku-4-5") == dated)
        #expect(all.route(for: "claude-haiku-5-5")?.model == "claude-haiku-5-5")
        let alias = RouteKey(service: anthropic, model: "claude-haiku-4-5")
        let own = RouteTable(
            routes: [RouteTerms(name: "h", key: alias)], otherModels: anthropic, published: [anthropic])
        #expect(own.route(for: "claude-haiku-4-5") == alias)
        let stated = RouteTable(routes: [RouteTerms(name: "h", key: dated)], published: [anthropic])
        #expect(stated.route(for: "claude-haiku-4-5") == dated)
        // Elsewhere the name may mean anything.
        let relay = RouteTable(routes: [], otherModels: local)
        #expect(relay.route(for: "claude-haiku-4-5")?.model == "claude-haiku-4-5")
    }

    @Test func `what was said of a route is found by its key`() throws {
        let key = try #require(table.route(for: "haiku"))
        #expect(table.terms(of: key)?.concurrency == 3)
        #expect(table.fallbacks(of: key).map(\.route.model) == ["claude-sonnet-5-5"])
        #expect(table.services == [anthropic, local])
    }
}
