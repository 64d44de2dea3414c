import JSON
import Jobs

extension Command {
    static let budgets = Command(
        name: "budgets", summary: "list budgets, or set or remove one",
        arguments: "[set NAME|remove NAME]",
        argumentCount: 0...2,
        flags: [
            Flag("usd", "USD", "with set: the most that may be spent in a window"),
            Flag("window", "day|month|total", "with set: the window; days and months are in UTC (day)"),
            Flag("scope", "all|queue:NAME|tag:NAME", "with set: the jobs that it covers (all)"),
            Flag("json", "print JSON, as the API returns it"),
        ],
        settings: ServerClient.settings, secrets: ServerClient.secrets,
        details: """
            A budget takes effect at once, for all workers, and includes what its window has already spent. A budget
            of a configuration file can only be changed in the file. A budget of RENGA_DAILY_BUDGET_USD or
            RENGA_MONTHLY_BUDGET_USD gets its value from there again at each start.
            """
    ) { invocation in
        let server = try ServerClient(invocation)
        switch (invocation.arguments.first, invocation.arguments.count) {
        case (nil, _): try await BudgetCommand.list(server, invocation)
        case ("set", 2): try await BudgetCommand.set(invocation.arguments[1], server, invocation)
        case ("remove", 2):
            let name = invocation.arguments[1]
            _ = try await server.call("DELETE", BudgetCommand.path(name))
            try Console.print("budget \(name) was removed")
        default:
            throw UsageError(
                "“\(invocation.arguments.joined(separator: " "))” is unknown; expected nothing, set NAME or remove NAME"
            )
        }
        return .done
    }
}

private enum BudgetCommand {
    static func path(_ name: String) -> String { "/v1/budgets/\(Query.encoded(name))" }

    static func list(_ server: ServerClient, _ invocation: Invocation) async throws {
        let answer = try await server.call("GET", "/v1/budgets")
        try show(answer["data"]?.elements ?? [], answer, invocation)
    }

    static func set(_ name: String, _ server: ServerClient, _ invocation: Invocation) async throws {
        guard let amount = invocation["usd"] else {
            throw UsageError("--usd is missing: renga budgets set \(name) --usd 5 --window day")
        }
        guard Money(dollars: amount) != nil else {
            throw UsageError("--usd is “\(amount)”; expected US dollars such as 5 or 12.50")
        }
        var body = JSONWriter()
        body.object { body in
            body.field("usd", amount)
            body.field("window", invocation["window"] ?? "day")
            body.field("scope", invocation["scope"] ?? "all")
        }
        let answer = try await server.call("PUT", path(name), body: body.bytes)
        try show([answer], answer, invocation)
    }

    private static func show(_ budgets: [JSON], _ answer: JSON, _ invocation: Invocation) throws {
        if invocation.has("json") { return try Console.print(String(decoding: answer.raw, as: UTF8.self)) }
        let rows = BudgetText.rows(budgets)
        try Console.print(
            page: rows.isEmpty
                ? "no budgets; to set one: renga budgets set daily --usd 5" : Columns.text(rows))
    }
}

/// Budgets as lines for people.
enum BudgetText {
    static func rows(_ budgets: [JSON]) -> [[String]] {
        budgets.map { budget in
            let maybe = budget.text("unconfirmed_cost_usd")
            return [
                budget.text("name"), "$" + budget.text("settled_usd") + " of $" + budget.text("limit_usd"),
                time(budget.text("window")), scope(budget), "$\(budget.text("reserved_usd")) reserved",
                isZero(maybe) ? "" : "$\(maybe) unconfirmed", "$\(budget.text("free_usd")) free",
                budget["stated_by"]?.string.map { "stated in \(Text.oneLine($0, limit: 100))" } ?? "",
            ]
        }
    }

    /// Whether an amount as the API writes it is nothing.
    static func isZero(_ amount: String) -> Bool {
        amount.allSatisfy { $0 == "0" || $0 == "." || $0 == "-" }
    }

    private static func time(_ window: String) -> String { window == "total" ? "in total" : "a \(window)" }

    private static func scope(_ budget: JSON) -> String {
        switch budget.text("scope") {
        case "queue": "queue \(Text.oneLine(budget.text("queue"), limit: 100))"
        case "tag": "tag \(Text.oneLine(budget.text("tag"), limit: 100))"
        default: ""
        }
    }
}
