import JSON
import Jobs

/// What enqueueing would do and may cost, with nothing changed.
struct DryRun {
    private let order: Order
    private let server: ServerClient

    init(order: Order, server: ServerClient) {
        self.order = order
        self.server = server
    }

    func run() async throws -> ExitStatus {
        var count = Count()
        var reporter = Reporter()
        var upload = order.upload(server, query: [("dry_run", "true")])
        try await upload.run(try order.reader()) { chunk, answers in
            for (index, answer) in answers.enumerated() {
                if let reason = count.take(answer, shape: chunk.shapes[index]) {
                    reporter.refused(chunk.lineNumbers[index], reason)
                }
            }
        }
        let stats = try await server.call("GET", "/v1/stats")
        try Console.print(count.text)
        try Console.print(Forecast(count, stats).text)
        return count.invalid > 0 ? .failed : .done
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
        /// The worst case of all new ones together.
        private(set) var atMost = Money.zero
        private(set) var saved = Money.zero
        /// The server sees one chunk at a time; this sees them all.
        private var shapes = Occurrences()

        /// Takes the answer to a line; returns the words of a refusal.
        mutating func take(_ answer: JSON, shape: UInt64) -> String? {
            let isFirst = shapes.add(shape) == 1
            switch answer.text("status") {
            case "new" where isFirst:
                new += 1
                atMost = atMost + (Money(dollars: answer.text("at_most_usd")) ?? .zero)
            case "new", "duplicate": duplicate += 1
            case "cached":
                cached += 1
                saved = saved + (Money(dollars: answer.text("saves_usd")) ?? .zero)
            case "existing": existing += 1
            case "conflict":
                conflict += 1
                return "job \(answer.text("id")) has this key already, with another body"
            default:
                invalid += 1
                return answer["error"]?["detail"]?.string ?? "the server would refuse it"
            }
            return nil
        }

        var text: String {
            let rows = [
                ["new", Text.number(new), "each a call"],
                ["cached", Text.number(cached), "answered at once, saves \(Text.dollars(saved))"],
                ["duplicate", Text.number(duplicate), "of lines above: they share one answer"],
                ["existing", Text.number(existing), "jobs already, from an earlier run"],
                ["conflict", Text.number(conflict), "their key belongs to another job"],
                ["invalid", Text.number(invalid), "would be refused"],
            ]
            return Columns.text(rows.filter { $0[1] != "0" }, rightAligned: [1])
        }
    }
}
