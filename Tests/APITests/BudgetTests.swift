import HTTPServer
import JSON
import JobStoreSQLite
import Jobs
import Testing

@testable import API

@Suite("Budgets over HTTP, on a real store")
struct BudgetTests {
    @Test("a budget is set, changed, listed and removed while everything runs")
    func life() async throws {
        try await RealHarness.with { harness in
            let set = try await harness.send(
                "PUT", "/v1/budgets/a%20b", #"{"usd":"12.50","window":"day","scope":"queue:q","alerts":[90]}"#
            )
            #expect(set.status == 200 && set["limit_usd"]?.string == "12.500000")
            #expect(set["scope"]?.string == "queue" && set["queue"]?.string == "q")
            #expect(set["alerts"]?[0]?.int == 90 && set["stated_by"]?.isNull == true)
            let changed = try await harness.send(
                "PUT", "/v1/budgets/a%20b", #"{"usd":1,"window":"total"}"#)
            #expect(changed["scope"]?.string == "all" && changed["window"]?.string == "total")
            let list = try await harness.send("GET", "/v1/budgets")
            #expect(list["data"]?.elements?.map { $0["limit_usd"]?.string } == ["1.000000"])
            #expect(try await harness.send("DELETE", "/v1/budgets/a%20b").status == 200)
            #expect(try await harness.send("DELETE", "/v1/budgets/a%20b").problem == "unknown-budget")
        }
    }

    @Test(
        "what is wrong with a budget is said",
        arguments: [
            (#"{"window":"day"}"#, "missing-field", "usd"), (#"{"usd":"1"}"#, "missing-field", "window"),
            (#"{"usd":"0","window":"day"}"#, "invalid-field", "usd"),
            (#"{"usd":"-1","window":"day"}"#, "invalid-field", "usd"),
            (#"{"usd":"1","window":"hour"}"#, "invalid-field", "window"),
            (#"{"usd":"1","window":"day","scope":"queue:"}"#, "invalid-field", "scope"),
            (#"{"usd":"1","window":"day","alerts":[0]}"#, "invalid-field", "alerts"),
            (#"{"usd":"1","window":"day","limit":2}"#, "unknown-field", "limit"),
        ])
    func wrong(body: String, problem: String, field: String) async throws {
        try await RealHarness.with { harness in
            let answer = try await harness.send("PUT", "/v1/budgets/b", body)
            #expect(answer.problem == problem && answer["field"]?.string == field)
        }
    }

    @Test("what the configuration file states changes there only, and the refusal names it")
    func stated() async throws {
        try await RealHarness.with { harness in
            let budget = Budget(name: "daily", window: .day, limit: Money(nanodollars: 1_000_000_000))
            try await harness.store.state(
                StatedConfiguration(
                    file: ConfigurationStatement(
                        subject: "", content: ["budgets.daily": "1"], source: "/etc/renga.json"),
                    budgets: [budget], budgetsOfFile: ["daily"]), adopting: false)
            let list = try await harness.send("GET", "/v1/budgets")
            #expect(list["data"]?[0]?["stated_by"]?.string == "/etc/renga.json")
            for (method, body) in [("PUT", #"{"usd":"9","window":"day"}"#), ("DELETE", "")] {
                let answer = try await harness.send(method, "/v1/budgets/daily", body)
                #expect(answer.status == 409 && answer.problem == "stated-by-configuration")
                #expect(answer["detail"]?.string?.contains("/etc/renga.json") == true)
            }
        }
    }
}
