import Jobs

extension Configuration {
    /// What processes on one database compare: all that decides what a call costs, who pays and where it goes.
    ///
    /// Addresses and credentials are not among it: a worker in another network reaches a provider its own way.
    var statement: [String: String] {
        var content: [String: String] = [:]
        for terms in table.routes {
            let key = "routes.\(terms.name)"
            content[key] = terms.key.name
            content[key + ".limits"] = terms.limits.summary
            content[key + ".prices"] = terms.prices.map(\.summary).joined(separator: ", ")
            content[key + ".concurrency"] = terms.concurrency.map(String.init)
            content[key + ".fallbacks"] = terms.fallbacks.map { fallback in
                let causes = Fallback.Cause.allCases.filter(fallback.causes.contains).map(\.rawValue)
                return "\(fallback.route.name) on \(causes.joined(separator: " "))"
            }.joined(separator: ", ")
        }
        for (alias, key) in table.aliases { content["aliases.\(alias)"] = key.name }
        content["other_models"] = table.otherModels?.provider ?? "refused"
        for budget in budgets { content["budgets.\(budget.name)"] = budget.summary }
        return content.filter { !$0.value.isEmpty }
    }
}

extension ServiceSettings {
    /// As it is stated to the database.
    var statement: StatedConfiguration {
        let stated = Set(budgetStatements.map(\.subject))
        let ofFile = configuration.budgets.map(\.name).filter { !stated.contains("budgets.\($0)") }
        return StatedConfiguration(
            file: ConfigurationStatement(
                subject: "", content: configuration.stated, source: configuration.source ?? ""),
            environment: budgetStatements, budgets: budgets, budgetsOfFile: Set(ofFile),
            removed: removedBudgets)
    }
}

extension RouteLimits {
    fileprivate var summary: String {
        let parts: [(String, Int?)] = [
            ("rpm", requests), ("itpm", inputTokens), ("otpm", outputTokens),
            ("rate_window", burst.map { Int($0) }),
        ]
        let stated = parts.compactMap { name, value in value.map { "\(name) \($0)" } }
        return (stated + (reservesMaxTokens ? ["reserves max_tokens"] : [])).joined(separator: ", ")
    }
}

extension PriceTable.Entry {
    fileprivate var summary: String {
        let since = from.map { " from \($0.text.prefix(10))" } ?? ""
        let long = price.longPrompt.map { ", \($0.factor) times above \($0.above) tokens" } ?? ""
        let cache = [price.cacheWrite5m, price.cacheWrite1h, price.cacheRead].map(String.init)
        return "\(price.input) in, \(price.output) out, cache \(cache.joined(separator: " ")), "
            + "US \(price.usPercent) %, a search \(price.webSearch)\(long), in nano-dollars\(since)"
    }
}
