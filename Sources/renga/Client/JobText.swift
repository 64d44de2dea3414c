import JSON
import Jobs

/// Jobs as lines and paragraphs for people.
enum JobText {
    static func table(_ jobs: [JSON], now: Timestamp) -> String {
        let header = ["ID", "STATE", "QUEUE", "AGE", "ATTEMPTS", "COST", "CUSTOM ID", ""]
        let rows = jobs.map { job in
            [
                job.text("id"), job.text("state"), Text.oneLine(job.text("queue"), limit: 24), age(job, now),
                "\(job["attempt"]?.int ?? 0)",
                job["cached"]?.bool == true ? "cached" : "$" + job.text("cost_usd"),
                Text.oneLine(job.text("custom_id"), limit: 24), remark(job, now),
            ]
        }
        return Columns.text([header] + rows, rightAligned: [3, 4, 5])
    }

    /// Why it waits, or what went wrong.
    static func remark(_ job: JSON, _ now: Timestamp) -> String {
        if let waiting = job["waiting_for"], !waiting.isNull {
            return "waits for " + self.waiting(waiting, now)
        }
        guard let error = job["error"], !error.isNull else { return "" }
        return "\(error.text("type")): \(Text.oneLine(error.text("message"), limit: 80))"
    }

    static func waiting(_ waiting: JSON, _ now: Timestamp, limit: Int = 100) -> String {
        func left(_ name: String) -> Milliseconds {
            waiting[name]?.string.flatMap(Timestamp.init(text:)).map { max(0, $0 - now) } ?? 0
        }
        let (until, turn) = (left("until"), left("estimated_at"))
        // The gate opens for those further in front first.
        let time =
            waiting.text("reason") == "batch" && until > 0
            ? ", called back in \(Text.duration(until)) at the latest"
            : turn > until
                ? ", starts in about \(Text.duration(turn))"
                : until > 0 ? ", in \(Text.duration(until))" : ""
        return "\(waiting.text("reason")): \(Text.oneLine(waiting.text("detail"), limit: limit))\(time)"
    }

    private static func age(_ job: JSON, _ now: Timestamp) -> String {
        guard let created = job["created_at"]?.string.flatMap(Timestamp.init(text:)) else { return "" }
        return Text.duration(now - created)
    }
}

extension JSON {
    /// A member's text, empty if there is none.
    func text(_ name: String) -> String { self[name]?.string ?? "" }

    func number(_ name: String) -> Int { self[name]?.int ?? 0 }

    /// Whether a member is there and says true.
    func isTrue(_ name: String) -> Bool { self[name]?.bool == true }
}
