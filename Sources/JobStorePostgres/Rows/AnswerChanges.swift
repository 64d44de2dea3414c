import Jobs
import Postgres
import StoreRules

/// Answers that a transaction stores, and how many more or fewer jobs have one, to be written many in one statement.
struct AnswerChanges {
    private var new: [(id: Int64, answer: NewAnswer)] = []
    private var uses: [Int64: Int] = [:]

    mutating func add(_ answer: NewAnswer, as id: Int64) { new.append((id, answer)) }
    mutating func use(_ answer: Int64, by change: Int) { uses[answer, default: 0] += change }

    mutating func write(_ context: WriteContext) {
        if !new.isEmpty { context.run(.insertAnswers, columns(at: context.now.timestamp)) }
        let used = uses.filter { $0.value != 0 }.sorted { $0.key < $1.key }
        if !used.isEmpty {
            context.run(
                .useAnswers, [.integers(used.map { $0.key }), .integers(used.map { Int64($0.value) })])
        }
        self = AnswerChanges()
    }

    private func columns(at now: Timestamp) -> [Value] {
        func integers(_ value: (NewAnswer) -> Int64) -> Value { .integers(new.map { value($0.answer) }) }
        return [
            .integers(new.map { $0.id }), integers(\.route), .byteStrings(new.map { $0.answer.hash }),
            integers(\.job), .texts(new.map { $0.answer.answer.model }),
            .byteStrings(new.map { $0.answer.answer.body }), integers(\.answer.usage.inputTokens),
            integers(\.answer.usage.outputTokens), integers(\.answer.usage.cacheWriteTokens),
            integers(\.answer.usage.cacheWrite1hTokens), integers(\.answer.usage.cacheReadTokens),
            integers(\.cost), integers(\.expiresAt.milliseconds), integers { Int64($0.uses) },
            .integer(now.milliseconds),
        ]
    }
}

extension Statement {
    fileprivate static let insertAnswers = Statement(
        "insert-answers",
        """
        INSERT INTO answer (
            id, route_id, prompt_hash, job_id, model, body, input_tokens, output_tokens, cache_write_tokens,
            cache_write_1h_tokens, cache_read_tokens, cost, expires_at, uses, created_at
        )
        SELECT new.*, $15::bigint
        FROM unnest(
            $1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[], $5::text[], $6::bytea[], $7::bigint[], $8::bigint[],
            $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[]
        ) AS new
        """, .bigints, .bigints, .byteas, .bigints, .texts, .byteas, .bigints, .bigints, .bigints, .bigints,
        .bigints, .bigints, .bigints, .bigints, .bigint)
    fileprivate static let useAnswers = Statement(
        "use-answers",
        """
        UPDATE answer
        SET uses = answer.uses + new.uses
        FROM unnest($1::bigint[], $2::bigint[]) AS new (id, uses)
        WHERE answer.id = new.id
        """, .bigints, .bigints)
}
