import JSON
import Jobs
import Testing

@testable import renga

/// Pages and tables as people see them on a terminal.
@Suite struct PageTests {
    @Test(arguments: Commands.all.map(\.name))
    func `help fits a terminal of 80 columns, and loses no word`(name: String) throws {
        let command = try Commands.named(name)
        let page = Help().page(command)
        #expect(page.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(page)")
        #expect(
            page.split { $0 == " " || $0 == "\n" }
                == Help(columns: 1000).page(command).split { $0 == " " || $0 == "\n" })
    }

    @Test func `a paragraph flows, and a table keeps its rows`() {
        let text = Help(columns: 200).overview(Commands.all)
        #expect(text.contains("come from the environment (RENGA_MODEL) or from a flag of the same name"))
        #expect(text.split(separator: "\n").count { $0.hasPrefix("  ") } == Commands.all.count)
    }

    @Test func `a cell goes on beneath itself`() {
        let lines = Wrapping(columns: 40).lines(
            "  --flag NAME  " + Array(repeating: "word", count: 12).joined(separator: " "))
        #expect(
            lines.count > 1
                && lines.dropFirst().allSatisfy { $0.hasPrefix(String(repeating: " ", count: 15) + "w") })
    }

    @Test func `costs in one column have the same number of decimals`() {
        let text = Columns.text([
            ["a", "$0.000001"], ["b", "$0.0000125"], ["c", "saved $1.250000"], ["d", "cached"], ["e", "$0"],
        ])
        #expect(text == "a  $0.0000010\nb  $0.0000125\nc  saved $1.2500000\nd  cached\ne  $0.0000000")
    }

    @Test func `status shows workers and budgets before times, and what is out in batches`() throws {
        let stats = try JSON.parse(
            """
            {"counts":{},"workers":[{"name":"w","slots":4,"running":0,"alive":true}],
            "budgets":[{"name":"daily","settled_usd":"0.000000","limit_usd":"1.000000","window":"day","scope":"all",
            "reserved_usd":"0.000000","unconfirmed_cost_usd":"0.000000","free_usd":"1.000000"}],
            "routes":[{"name":"r","running":0,"in_batches":6,"latency_ms":{"answer":{"p50":1,"p95":2,"p99":3},
            "waiting":{},"calling":{}}}]}
            """)
        let page = StatusPage(stats: stats, now: Timestamp(milliseconds: 0)).text
        let titles = page.split(separator: "\n").filter { !$0.hasPrefix(" ") }
        #expect(
            titles.dropFirst() == [
                "routes", "workers", "budgets", "time to answer (p50 / p95 / p99), last 10 minutes",
            ], "\(page)")
        #expect(page.contains("0 running, 6 in batches at the provider"))
    }

    @Test func `a level below zero is shown as what is owed, with the time until the next call`() throws {
        func page(_ available: Int) throws -> String {
            let limits = #"{"requests":{"per_minute":30,"available":\#(available)}}"#
            let stats = try JSON.parse(#"{"routes":[{"name":"r","running":0,"limits":\#(limits)}]}"#)
            return StatusPage(stats: stats, now: Timestamp(milliseconds: 0)).text
        }
        #expect(try page(12).contains("rpm 12 of 30"))
        #expect(try page(-29).contains("rpm over the limit by 29, next call in 58s"))
        #expect(try page(.min).contains("rpm over the limit by 9,223,372,036,854,775,807, next call in "))
    }

    @Test func `a job that is out with a batch says when it is called back, not that it takes so long`()
        throws
    {
        let waiting = try JSON.parse(
            #"{"reason":"batch","detail":"it is out with batch b of its provider, 3 requests","until":"2026-11-29T12:00:00Z"}"#
        )
        let now = try #require(Timestamp(text: "2026-11-29T00:17:00Z"))
        #expect(
            JobText.waiting(waiting, now)
                == "batch: it is out with batch b of its provider, 3 requests, called back in 11h 43m at the latest"
        )
    }

    @Test func `what is cancelled is named with the command that takes it up`() throws {
        let counts = try JSON.parse(#"{"succeeded":11746,"cancelled":48254}"#)
        let text = try #require(ResumeHint("all rows", counts).text)
        #expect(
            text.contains("48,254 jobs")
                && text.contains("renga retry --batch 'all rows' --state cancelled"))
        #expect(ResumeHint("b", try JSON.parse(#"{"succeeded":1}"#)).text == nil)
    }

    @Test func `conflicts are told with what differs`() throws {
        let job = try JSON.parse(
            #"{"id":"job_1","tags":["t"],"deadline":null,"model":"m","request":{"messages":[{"role":"user","content":"a"}]}}"#
        )
        func difference(_ line: String) throws -> String? { Difference(job, try JSON.parse(line)).text }
        #expect(
            try difference(#"{"custom_id":"k","tags":["t"],"deadline":"12h","prompt":"a"}"#) == "its deadline"
        )
        #expect(
            try difference(
                #"{"custom_id":"k","model":"n","request":{"messages":[{"role":"user","content":"b"}]}}"#)
                == "its tags and its model and its prompt")
        #expect(try difference(#"{"custom_id":"k","tags":["t"],"priority":3,"prompt":"a"}"#) == nil)
    }
}
