import Jobs

extension Doctor {
    /// The configuration as it counts, a line for each part; never a secret.
    func configuration(_ settings: ServiceSettings, _ providers: Providers) -> [Finding] {
        let configuration = settings.configuration
        let now = SystemNow().now().timestamp
        var findings = [
            Finding.fine(
                "configuration",
                (configuration.source ?? "from the environment") + "; jobs without a model get "
                    + configuration.standardRoute.name)
        ]
        findings += providers.all.map { credential(of: $0, isSole: configuration.source == nil) }
        findings += configuration.table.routes.map { route($0, configuration, providers, now) }
        findings += configuration.table.aliases.sorted { $0.key < $1.key }.map { alias, key in
            .fine("alias \(alias)", key.name)
        }
        if let service = configuration.table.otherModels, providers.all.count > 1 {
            findings.append(.fine("other models", service.provider))
        }
        findings += configuration.budgets.map { .fine("budget \($0.name)", $0.summary) }
        findings += configuration.endings(at: now).map { .doubtful("model", "\($0.model) \($0.advice)") }
        return findings
    }

    private func credential(of provider: Provider, isSole: Bool) -> Finding {
        let terms = provider.terms
        let subject = "provider \(terms.name)"
        let place = "\(terms.kind.rawValue) at \(terms.baseURLs.joined(separator: ", "))"
        if terms.credential.isEmpty { return .fine(subject, "\(place), without a key") }
        if provider.isReady { return .fine(subject, "\(place), \(terms.credential) is set") }
        return .doubtful(
            subject,
            isSole
                ? "\(place), no key: `up` uses its simulator, `serve` and `work` refuse to start; set \(terms.credential)"
                : "\(place), no key: its jobs wait; set \(provider.credentialHint)")
    }

    private func route(
        _ terms: RouteTerms, _ configuration: Configuration, _ providers: Providers, _ now: Timestamp
    ) -> Finding {
        var parts = [terms.key.name, limits(terms.limits)]
        if let cap = terms.concurrency { parts.append("at most \(cap) at once") }
        parts.append(price(of: terms, PriceTable(configuration.table), now))
        parts += terms.fallbacks.map { fallback in
            let causes = Fallback.Cause.allCases.filter(fallback.causes.contains).map(\.rawValue)
            let name = configuration.table.terms(of: fallback.route)?.name ?? fallback.route.name
            return "falls back to \(name) when \(causes.joined(separator: ", "))"
        }
        if let remark = configuration.remark(on: terms.key, at: now) { parts.append(remark) }
        let isReady = providers.ready.contains { $0.terms.key == terms.key.service }
        if !isReady { parts.append("without a credential: its jobs wait") }
        let text = parts.joined(separator: "; ")
        return isReady ? .fine("route \(terms.name)", text) : .doubtful("route \(terms.name)", text)
    }

    private func limits(_ limits: RouteLimits) -> String {
        let meters = [
            ("rpm", limits.requests), ("itpm", limits.inputTokens), ("otpm", limits.outputTokens),
        ]
        return meters.map { name, limit in "\(name) \(limit.map(Text.number) ?? "learned")" }
            .joined(separator: ", ")
    }

    private func price(of terms: RouteTerms, _ prices: PriceTable, _ now: Timestamp) -> String {
        let changes = terms.prices.compactMap(\.from).filter { $0 > now }.map { $0.text.prefix(10) }
        let text = price(prices.price(of: terms.key, at: now), isOwn: !terms.prices.isEmpty)
        return changes.isEmpty ? text : text + ", others from \(changes.joined(separator: ", "))"
    }

    private func price(_ price: Price?, isOwn: Bool) -> String {
        guard let price else {
            return "its price is unknown, so its calls count as free: add “prices” to the route"
        }
        func perMillion(_ nanodollars: Int64) -> String {
            var text = Money(nanodollars: nanodollars * 1_000_000).description
            while text.hasSuffix("0") { text.removeLast() }
            return "$" + (text.hasSuffix(".") ? String(text.dropLast()) : text)
        }
        return "\(perMillion(price.input)) in, \(perMillion(price.output)) out per million tokens"
            + (isOwn ? ", as configured" : "")
    }
}

extension Budget {
    /// For people.
    var summary: String {
        let subject =
            switch scope {
            case .all: "everything"
            case .queue(let name): "queue \(name)"
            case .tag(let name): "tag \(name)"
            }
        let time =
            switch window {
            case .day: "a day"
            case .month: "a month"
            case .total: "in total"
            }
        let shares = alerts.map { "\($0) %" }.joined(separator: ", ")
        return "\(Text.dollars(limit)) \(time) for \(subject); alerts at \(shares)"
    }
}
