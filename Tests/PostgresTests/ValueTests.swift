import Postgres
import TestSupport
import Testing

@Suite(.onThread) struct ValueTests {
    /// All that a round trip carries, made of lots.
    private struct Sample {
        var numbers: [Int64?]
        var sums: [Double?]
        var flags: [Bool?]
        var texts: [String?]
        var blobs: [[UInt8]?]
        var transactions: [UInt64?]

        init(rows: Int, using random: inout SeededRandom) {
            func some<T>(_ make: (inout SeededRandom) -> T) -> [T?] {
                (0..<rows).map { _ in Int.random(in: 0...5, using: &random) == 0 ? nil : make(&random) }
            }
            numbers = some {
                [0, -1, .max, .min, .random(in: .min ... .max, using: &$0)].randomElement(using: &$0) ?? 0
            }
            sums = some { Double(bitPattern: .random(in: 0 ... .max, using: &$0)) }
            flags = some { Bool.random(using: &$0) }
            texts = some { random in
                (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    ["a", "é", "\"", "\\", "{", "}", ",", "'", "NULL", " ", "\n", "🙂", "\u{1}"].randomElement(
                        using: &random) ?? ""
                }.joined()
            }
            blobs = some { random in
                (0..<Int.random(in: 0...300, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            }
            transactions = some { .random(in: 0 ... .max, using: &$0) }
        }
    }

    private static let echo = Statement(
        "echo",
        "SELECT $1::bigint[], $2::float8[], $3::boolean[], $4::text[], $5::bytea[], $6::xid8[]",
        .bigints, .doubles, .bools, .texts, .byteas, .xid8s)

    private static let unnest = Statement(
        "unnest",
        """
        SELECT * FROM unnest($1::bigint[], $2::float8[], $3::boolean[], $4::text[], $5::bytea[], $6::xid8[])
        """,
        .bigints, .doubles, .bools, .texts, .byteas, .xid8s)

    private static let single = Statement(
        "single", "SELECT $1::bigint, $2::float8, $3::boolean, $4::text, $5::bytea, $6::xid8",
        .bigint, .double, .bool, .text, .bytea, .xid8)

    private func columns(_ sample: Sample) -> Arguments {
        var arguments = Arguments()
        arguments.add(column: sample.numbers)
        arguments.add(column: sample.sums)
        arguments.add(column: sample.flags)
        arguments.add(column: sample.texts)
        arguments.add(column: sample.blobs)
        arguments.add(column: sample.transactions)
        return arguments
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `Values come back as they went, as arrays, as rows and singly`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let sample = Sample(rows: [0, 1, 2, 30].randomElement(using: &random) ?? 0, using: &random)
        let arguments = columns(sample)
        var calls = [Call(Self.echo, arguments), Call(Self.unnest, arguments)]
        for row in sample.numbers.indices {
            var one = Arguments()
            one.add(sample.numbers[row])
            one.add(sample.sums[row])
            one.add(sample.flags[row])
            one.add(sample.texts[row])
            one.add(sample.blobs[row])
            one.add(sample.transactions[row])
            calls.append(Call(Self.single, one))
        }
        let connection = try freshConnection()
        let answers = try connection.run(calls)
        let arrays = try #require(answers[0].first)
        #expect(try arrays.int64s(0) == sample.numbers)
        #expect(try arrays.doubles(1).map { $0?.bitPattern } == sample.sums.map { $0?.bitPattern })
        #expect(try arrays.bools(2) == sample.flags)
        #expect(try arrays.texts(3) == sample.texts)
        #expect(try arrays.byteas(4) == sample.blobs)
        #expect(try arrays.xid8s(5) == sample.transactions)
        let rows = Array(answers[1]) + answers[2...].flatMap { $0 }
        #expect(rows.count == 2 * sample.numbers.count)
        for (index, row) in rows.enumerated() {
            let place = index % sample.numbers.count
            #expect(try row.int64OrNil(0) == sample.numbers[place])
            #expect(try row.doubleOrNil(1)?.bitPattern == sample.sums[place]?.bitPattern)
            #expect(try row.boolOrNil(2) == sample.flags[place])
            #expect(try row.textOrNil(3) == sample.texts[place])
            #expect(try row.bytesOrNil(4) == sample.blobs[place])
            #expect(try row.xid8OrNil(5) == sample.transactions[place])
        }
        #expect(connection.trips == 2, "one to greet, one for all")
    }

    @Test func `Columns of unequal length are refused, and arrays by themselves are not`() throws {
        let connection = try freshConnection()
        let before = connection.trips
        let error = caught {
            try connection.run([
                call("SELECT * FROM unnest($1::bigint[], $2::text[])", .bigints, .texts) {
                    $0.add(column: [1, 2] as [Int64?])
                    $0.add(column: ["one"] as [String?])
                }
            ])
        }
        #expect(error?.kind == .badArguments && connection.trips == before, "nothing was sent")
        let rows = try connection.run([
            call("SELECT cardinality($1::bigint[])::bigint + cardinality($2::text[])", .bigints, .texts) {
                $0.add(array: [1, 2] as [Int64?])
                $0.add(array: ["one"] as [String?])
            }
        ])
        #expect(try rows[0][0].int64(0) == 3)
    }

    @Test func `Parameters of other types than the statement's are refused`() throws {
        let connection = try freshConnection()
        let wrong = call("SELECT $1::bigint", .bigint) { $0.add("1" as String?) }
        #expect(kind { try connection.run([wrong]) } == .badArguments)
        #expect(kind { try connection.run([call("SELECT $1::bigint", .bigint)]) } == .badArguments)
    }

    @Test func `A value of another type, NULL, or a column that is not there throws`() throws {
        let connection = try freshConnection()
        let row = try #require(
            try connection.run([call("SELECT 1::bigint, 'a'::text, NULL::bigint, 1::int, ARRAY[[1::bigint]]")]
            )[0].first)
        #expect(kind { _ = try row.text(0) } == .badAnswer)
        #expect(kind { _ = try row.int64(1) } == .badAnswer)
        #expect(kind { _ = try row.int64(2) } == .badAnswer)
        #expect(try row.int64OrNil(2) == nil)
        #expect(kind { _ = try row.int64(3) } == .badAnswer)
        #expect(kind { _ = try row.int64s(4) } == .badAnswer, "of two dimensions")
        #expect(kind { _ = try row.int64(5) } == .badAnswer)
        #expect(kind { _ = try row.int64(-1) } == .badAnswer)
    }
}
