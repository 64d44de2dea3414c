import JSON
import Jobs

/// What enqueueing would do and may cost, with nothing changed.
struct DryRun {
    private let options: EnqueueOptions
    private let server: ServerClient

    init(options: EnqueueOptions, server: ServerClient) {
        self.options = options
        self.server = server
    }

    func run() async throws -> ExitStatus {
        var count = Count()
        var reporter = Reporter()
        var upload = options.upload(server, query: [("dry_run", "true")], isReported: false)
        try await upload.run(try options.reader()) { chunk, answers in
            for (index, answer) in answers.enumerated() {
                if let refusal = count.take(answer, shape: chunk.shapes[index]) {
                    reporter.refused(chunk.lineNumbers[index], refusal, chunk.line(index))
                }
            }
        }
        await reporter.end(server)
        let stats = try await server.call("GET", "/v1/stats")
        try Console.print(count.text)
        let forecast = Forecast(count, stats).text
        if !forecast.isEmpty { try Console.print(forecast) }
        return count.invalid > 0 || count.conflict > 0 || !count.unpriced.isEmpty ? .failed : .done
    }
}

extension DryRun {
    /// How many lines are what.
    struct Count {
        private(set) var new = 0
        private(set) var cached = 0
        private(set) var duplicate = 0
        private(set) var existing = 0
        private(set) var conflict = 0
        private(set) var invalid = 0
        private(set) var expired = 0
        /// Of the new ones: those that go at half the price.
        private(set) var halfPrice = 0
        /// New ones of unknown cost, by the reason; few reasons are kept apart.
        private(set) var unpriced: [String: Int] = [:]
        /// The worst case of all new ones together.
        private(set) var atMost = Money.zero
        /// What they will probably cost.
        private(set) var about = Money.zero
        private(set) var saved = Money.zero
        /// The server sees one chunk at a time; this sees them all.
        private var shapes = Occurrences()

        /// Takes the answer to a line; returns its refusal.
        mutating func take(_ answer: JSON, shape: UInt64) -> LineRefusal? {
            let isFirst = shapes.add(shape) == 1
            switch answer.text("status") {
            case "new" where isFirst: takeNew(answer)
            case "new", "duplicate": duplicate += 1
            case "cached":
                cached += 1
                saved = saved + (Money(dollars: answer.text("saves_usd")) ?? .zero)
            case "existing": existing += 1
            case "expired": expired += 1
            case "conflict":
                conflict += 1
                return .conflict(with: answer.text("id"))
            default:
                invalid += 1
                return .invalid(
                    answer["error"]?["detail"]?.string ?? "the server would refuse it without giving a reason"
                )
            }
            return nil
        }

        private mutating func takeNew(_ answer: JSON) {
            new += 1
            if answer.isTrue("half_price") { halfPrice += 1 }
            guard let most = Money(dollars: answer.text("at_most_usd")) else {
                let reason = answer.text("detail")
                let isKnown = unpriced[reason] != nil || unpriced.count < 20
                return unpriced[isKnown ? reason : "the prices of further models are unknown", default: 0] +=
                    1
            }
            atMost = atMost + most
            about = about + (Money(dollars: answer.text("about_usd")) ?? most)
        }

        var text: String {
            let half = halfPrice > 0 ? ", \(Text.number(halfPrice)) of them at half the price" : ""
            let rows = [
                ["new", Text.number(new), "each makes a call" + half],
                ["cached", Text.number(cached), "answered from the cache, saves \(Text.dollars(saved))"],
                ["duplicate", Text.number(duplicate), "repeat an earlier line and share its answer"],
                ["existing", Text.number(existing), "are jobs already, from an earlier run"],
                ["conflict", Text.number(conflict), "their custom_id belongs to another job"],
                ["expired", Text.number(expired), "their deadline has passed: they would fail at once"],
                ["invalid", Text.number(invalid), "would be refused"],
            ]
            return Columns.text(rows.filter { $0[1] != "0" }, rightAligned: [1])
        }
    }
}
