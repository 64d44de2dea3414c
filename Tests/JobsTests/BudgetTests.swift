import JSON
import Jobs
import Testing

@Suite struct BudgetTests {
    private let budget = Budget(name: "daily", window: .day, limit: Money(nanodollars: 1000))

    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(text: text)) }

    @Test func `What is reserved, settled and unconfirmed never passes the limit`() {
        var ledger = BudgetLedger(budget: budget)
        for _ in 0..<3 {
            #expect(ledger.admission(of: Money(nanodollars: 300)) == .affordable)
            ledger.reserve(Money(nanodollars: 300))
        }
        #expect(ledger.admission(of: Money(nanodollars: 300)) == .notNow)
        ledger.apply(
            .init(reserved: Money(nanodollars: -300), settled: Money(nanodollars: 120)))
        #expect(ledger.free == Money(nanodollars: 280))
        ledger.apply(
            .init(reserved: Money(nanodollars: -300), unconfirmedCost: Money(nanodollars: 300)))
        #expect(ledger.free == Money(nanodollars: 280))
        ledger.apply(
            .init(reserved: Money(nanodollars: -300), settled: Money(nanodollars: 100)))
        #expect(ledger.admission(of: Money(nanodollars: 300)) == .affordable)
    }

    @Test func `A call dearer than the whole budget is never affordable`() {
        let ledger = BudgetLedger(budget: budget, settled: Money(nanodollars: 999))
        #expect(ledger.admission(of: Money(nanodollars: 1000)) == .notNow)
        #expect(ledger.admission(of: Money(nanodollars: 1001)) == .never)
    }

    @Test func `Each threshold is announced once, and the last when no such call fits any more`() {
        var ledger = BudgetLedger(budget: budget)
        func spend(_ nanodollars: Int64) -> [Int] {
            ledger.apply(.init(settled: Money(nanodollars: nanodollars)))
            return ledger.crossed(worstCase: Money(nanodollars: 30))
        }
        #expect(spend(499) == [])
        #expect(spend(1) == [50])
        #expect(spend(1) == [])
        #expect(spend(460) == [80, 95])
        #expect(spend(10) == [100])
        #expect(spend(10) == [])
    }

    @Test func `The words of a waiting call say what is left and whether a smaller answer would help`() {
        let ledger = BudgetLedger(
            budget: budget, settled: Money(nanodollars: 700), unconfirmedCost: Money(nanodollars: 100))
        let words = ledger.explanation(worstCase: Money(nanodollars: 300), smallest: Money(nanodollars: 200))
        #expect(words.contains("$0.0000002 of $0.000001 a day is left"))
        #expect(words.contains("$0.0000001 is unconfirmed"))
        #expect(words.hasSuffix("a smaller max_tokens would help"))
        #expect(
            !ledger.explanation(worstCase: Money(nanodollars: 300), smallest: Money(nanodollars: 250))
                .contains("smaller"))
    }

    @Test func `Days and months begin at midnight UTC`() throws {
        let now = try time("2026-12-31T23:59:59.999Z")
        #expect(Budget.Window.day.start(at: now).text == "2026-12-31T00:00:00.000Z")
        #expect(Budget.Window.day.end(at: now)?.text == "2027-01-01T00:00:00.000Z")
        #expect(Budget.Window.month.start(at: now).text == "2026-12-01T00:00:00.000Z")
        #expect(Budget.Window.month.end(at: now)?.text == "2027-01-01T00:00:00.000Z")
        #expect(
            Budget.Window.month.end(at: try time("2028-02-29T12:00:00Z"))?.text == "2028-03-01T00:00:00.000Z")
        #expect(Budget.Window.total.end(at: now) == nil)
    }

    @Test func `A budget covers all jobs, those of a queue, or those with a tag`() {
        let limit = Money(nanodollars: 1)
        let queue = Budget(name: "q", scope: .queue("mail"), window: .day, limit: limit)
        let tag = Budget(name: "t", scope: .tag("team-a"), window: .day, limit: limit)
        #expect(budget.covers(queue: "x", tags: []))
        #expect(queue.covers(queue: "mail", tags: []) && !queue.covers(queue: "x", tags: ["mail"]))
        #expect(tag.covers(queue: "x", tags: ["team-a", "b"]) && !tag.covers(queue: "team-a", tags: []))
    }
}

@Suite struct CostBoundTests {
    private func bound(_ request: String) throws -> CostBound {
        CostBound(request: try JSON.parse(Array(request.utf8)))
    }

    @Test func `A plain prompt is bounded by the bytes of its text and a little more`() throws {
        let text = String(repeating: "word ", count: 100)
        let bound = try bound(
            #"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"\#(text)"}]}"#)
        #expect(bound.inputTokens == Int64(524))
        #expect(bound.writes == .none)
        let blocks = try self.bound(
            #"{"system":"abc","messages":[{"role":"user","content":[{"type":"text","text":"\#(text)"}]}]}"#)
        #expect(blocks.inputTokens == Int64(524 + 4 + 3 + 8))
    }

    @Test(arguments: [
        (#"{"type":"ephemeral"}"#, CostBound.CacheWrites.fiveMinutes),
        (#"{"type":"ephemeral","ttl":"1h"}"#, .oneHour),
    ])
    func `A request that writes into the prompt cache is bounded at the rate of writing`(
        control: String, writes: CostBound.CacheWrites
    ) throws {
        let bound = try bound(
            #"{"system":[{"type":"text","text":"a","cache_control":\#(control)}],"messages":[]}"#)
        #expect(bound.writes == writes)
    }

    @Test func `Words about the cache in a prompt are no cache`() throws {
        let bound = try bound(#"{"messages":[{"role":"user","content":"say \"cache_control\" and \"1h\""}]}"#)
        #expect(bound.writes == .none)
    }

    @Test(arguments: [
        #"{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"url","url":"http://a"}}]}]}"#,
        #"{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"file","file_id":"f"}}]}]}"#,
        #"{"messages":[],"tools":[{"type":"web_search_20250305","name":"web_search"}]}"#,
        #"{"messages":[],"mcp_servers":[{"url":"http://a"}]}"#,
    ])
    func `What points elsewhere is bounded by the context window alone`(request: String) throws {
        #expect(try bound(request).inputTokens == nil)
    }

    @Test(
        arguments: [
            (#"{"type":"web_search_20250305","name":"a","max_uses":5}"#, 5),
            (
                #"{"type":"web_search_20250305","name":"a","max_uses":5},{"type":"web_search_20260318","name":"b","max_uses":2}"#,
                7
            ),
            (#"{"type":"web_search_20250305","name":"a","max_uses":-1}"#, 0),
            (#"{"type":"web_fetch_20250910","name":"a"},{"name":"web_search_mine","input_schema":{}}"#, 0),
            (#"{"type":"web_search_20250305","name":"a"}"#, nil),
            (#"{"type":"web_search_20250305","name":"a","max_uses":null}"#, nil),
            (#"{"type":"web_search_20250305","name":"a","max_uses":9000000000000000000}"#, nil),
            (
                #"{"type":"web_search_20250305","name":"a","max_uses":1},{"type":"web_search_20260318","name":"b"}"#,
                nil
            ),
        ] as [(String, Int64?)])
    func `Searches on the web are bounded by their tools' max_uses alone`(tools: String, searches: Int64?)
        throws
    {
        #expect(try bound(#"{"messages":[],"tools":[\#(tools)]}"#).webSearches == searches)
    }

    @Test func `Tools bring their own bytes and what the provider adds`() throws {
        let tool = #"{"name":"get","description":"gets","input_schema":{"type":"object"}}"#
        let bound = try bound(#"{"messages":[],"tools":[\#(tool)]}"#)
        #expect(bound.inputTokens == Int64(16 + 700 + 16 + tool.utf8.count))
    }

    @Test func `An image is bounded, wherever it lies`() throws {
        let bound = try bound(
            #"{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"http://a"}}]}]}"#
        )
        #expect(bound.inputTokens == Int64(16 + 8 + 4 + 5000))
    }

    @Test func `The worst case of the published example fits 36 calls into a cent`() throws {
        let prompt = String(repeating: "a", count: 68)
        let bound = try bound(
            #"{"model":"claude-haiku-4-5","max_tokens":50,"messages":[{"role":"user","content":"\#(prompt)"}]}"#
        )
        let price = try #require(PriceTable.price(of: "claude-haiku-4-5"))
        // 25 tokens in, 50 out.
        let cost = price.cost(of: Usage(inputTokens: 25, outputTokens: 50))
        #expect(cost.description == "0.000275")
        let worst = try #require(price.worstCase(bound, maxTokens: 50))
        #expect(Int64(35) * cost.nanodollars + worst.nanodollars <= 10_000_000)
        #expect(Int64(36) * cost.nanodollars + worst.nanodollars > 10_000_000)
    }
}
