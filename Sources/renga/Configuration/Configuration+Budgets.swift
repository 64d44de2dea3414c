import JSON
import Jobs

extension Configuration {
    private static let mostBudgets = 100

    static func budgets(_ root: ConfigurationObject) throws(ConfigurationError) -> [Budget] {
        let alerts = try root["alerts"].map(percentages) ?? Budget.standardAlerts
        guard let value = root["budgets"] else { return [] }
        var budgets: [Budget] = []
        for element in try value.elements() {
            let budget = try Budget(element, alerts: alerts)
            guard !budgets.contains(where: { $0.name == budget.name }) else {
                throw element.refused("another budget has the name \(budget.name)")
            }
            budgets.append(budget)
        }
        guard budgets.count <= mostBudgets else { throw value.refused("expected at most \(mostBudgets)") }
        return budgets
    }

    fileprivate static func percentages(_ value: ConfigurationValue) throws(ConfigurationError) -> [Int] {
        var percentages: [Int] = []
        for element in try value.elements() { percentages.append(try element.integer(in: 1...100)) }
        return percentages.sorted()
    }
}

extension Budget {
    fileprivate init(_ value: ConfigurationValue, alerts: [Int]) throws(ConfigurationError) {
        let object = try value.object(["name", "scope", "window", "usd", "alerts"])
        self.init(
            name: try object.required("name", "a name").text("a name of 1 to 64 characters", atMost: 64),
            scope: try object["scope"].map(Scope.init) ?? .all,
            window: try object.required("window", "\"day\", \"month\" or \"total\"").choice(Window.self),
            limit: try object.required("usd", "US dollars").dollars(),
            alerts: try object["alerts"].map(Configuration.percentages) ?? alerts)
        guard limit > .zero else { throw object.value.refused("expected usd above 0") }
    }
}

extension Budget.Scope {
    fileprivate init(_ value: ConfigurationValue) throws(ConfigurationError) {
        let expectation = "\"all\", \"queue:NAME\" or \"tag:NAME\""
        let parts = try value.text(expectation).split(separator: ":", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count) {
        case ("all", 1): self = .all
        case ("queue", 2): self = .queue(parts[1])
        case ("tag", 2): self = .tag(parts[1])
        default: throw value.expected(expectation)
        }
    }
}
