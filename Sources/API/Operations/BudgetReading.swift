import JSON
import Jobs

extension Budget {
    private static let nameBytes = 1...64
    private static let known = ["usd", "window", "scope", "alerts"]
    private static let scopes = "“all”, “queue:NAME” or “tag:NAME”"

    /// `{"usd":"12.50","window":"day","scope":"queue:NAME","alerts":[80,100]}`, as in the configuration file.
    init(named name: String, _ body: JSON) throws(Problem) {
        guard Self.nameBytes.contains(name.utf8.count), !Text.hasControls(name) else {
            throw Problem(
                .invalidParameter, "a budget's name has 1 to 64 bytes, without control characters",
                field: "name", limit: Self.nameBytes.upperBound)
        }
        var (limit, window, scope, alerts) = (Money?.none, Window?.none, Scope.all, Self.standardAlerts)
        for field in try Fields(body, "the body") {
            switch field.name {
            case "usd": limit = try field.money()
            case "window": window = try Self.window(field)
            case "scope": scope = try Self.scope(field)
            case "alerts": alerts = try Self.alerts(field)
            default: throw Problem.unknownField(field, prefix: "", known: Self.known)
            }
        }
        guard let limit else { throw Problem.missingField("usd", "say “usd”: US dollars such as \"12.50\"") }
        guard let window else {
            throw Problem.missingField("window", "say “window”: “day”, “month” or “total”")
        }
        guard limit > .zero else {
            throw Problem(.invalidField, "“usd” must be above 0; DELETE takes a budget away", field: "usd")
        }
        self.init(name: name, scope: scope, window: window, limit: limit, alerts: alerts)
    }

    private static func window(_ field: Field) throws(Problem) -> Window {
        guard let window = field.value.string.flatMap(Window.init(rawValue:)) else {
            throw field.refuse("“day”, “month” or “total”")
        }
        return window
    }

    private static func scope(_ field: Field) throws(Problem) -> Scope {
        let parts = (field.value.string ?? "").split(separator: ":", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count) {
        case ("all", 1): return .all
        case ("queue", 2) where Text.isQueueName(parts[1]): return .queue(parts[1])
        case ("tag", 2) where JobLimits.tagBytes.contains(parts[1].utf8.count) && !Text.hasControls(parts[1]):
            return .tag(parts[1])
        default: throw field.refuse(scopes)
        }
    }

    private static func alerts(_ field: Field) throws(Problem) -> [Int] {
        let numbers = field.value.elements?.map { $0.int }
        guard let numbers, numbers.count <= 100 else { throw field.refuse("an array of whole numbers") }
        return try numbers.map { (number: Int?) throws(Problem) -> Int in
            guard let number, (1...100).contains(number) else {
                throw field.refuse("an array of whole numbers from 1 to 100")
            }
            return number
        }
    }
}
