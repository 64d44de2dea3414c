import SQLite
import StoreRules

/// Takes the newest answers over from `answer_recent` into the index `answer_prompt`, once they are many.
///
/// In the order of their prompts, so that a page of the index takes in several at once; some with each commit that brings
/// new ones, so that none has to write them all.
struct AnswerIndexMerge {
    /// How many are filed for each new one.
    private static let pace = 4

    let context: WriteContext
    var connection: Connection { context.connection }

    init(_ context: WriteContext) {
        self.context = context
    }

    func goOn(after noted: Int) throws {
        let count = noted * Self.pace
        switch try stage() {
        case .merge(let last, let filed): try file(count, upTo: last, behind: filed)
        case .deleting(let last): try delete(count, upTo: last)
        case nil: try begin()
        }
    }

    private enum Stage {
        case merge(last: Int64, filed: Int)
        case deleting(last: Int64)
    }

    private func stage() throws -> Stage? {
        try connection.queryOne("SELECT last_number, merged FROM answer_merge") { row in
            let last = row.int64(0)
            return row.intOrNil(1).map { .merge(last: last, filed: $0) } ?? .deleting(last: last)
        }
    }

    /// If there are enough; all but the newest, whose number must not be given again.
    private func begin() throws {
        let (first, last) =
            try connection.queryOne(
                "SELECT (SELECT min(number) FROM answer_recent), (SELECT max(number) FROM answer_recent)"
            ) { row in (row.int64(0), row.int64(1)) } ?? (0, 0)
        guard last - first >= Int64(context.options.recentAnswers) else { return }
        _ = try connection.run(
            "INSERT INTO answer_merge (id, last_number) VALUES (1, ?1)", [.integer(last - 1)])
    }

    private func file(_ count: Int, upTo last: Int64, behind filed: Int) throws {
        let first = try first()
        let all = try RecentAnswers.of(connection).sorted(min(first, last)...last, connection)
        let next = all.dropFirst(filed).prefix(count)
        for entry in next {
            // Not those that were deleted since.
            _ = try connection.run(
                """
                INSERT OR IGNORE INTO answer_prompt (prompt, answer_id)
                SELECT ?1, id
                FROM answer
                WHERE id = ?2 AND substr(prompt_hash, 1, 8) = ?1
                """, [.blob(entry.promptBytes), .integer(entry.answer)])
        }
        let now = filed + next.count
        _ = try connection.run(
            "UPDATE answer_merge SET merged = ?1", [.integer(now < all.count ? now : nil)])
    }

    private func delete(_ count: Int, upTo last: Int64) throws {
        let end = min(last, try first() + Int64(count) - 1)
        _ = try connection.run("DELETE FROM answer_recent WHERE number <= ?1", [.integer(end)])
        if end == last { _ = try connection.run("DELETE FROM answer_merge") }
    }

    private func first() throws -> Int64 {
        try connection.queryOne("SELECT min(number) FROM answer_recent") { row in row.int64(0) } ?? 0
    }
}

extension RecentAnswers.Entry {
    fileprivate var promptBytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: prompt >> (56 - 8 * $0)) }
    }
}
