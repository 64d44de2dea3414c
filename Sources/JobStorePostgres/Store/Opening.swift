import Jobs
import Postgres
import StoreRules

/// Which others a writing transaction keeps waiting.
enum Turn: Sendable {
    /// All others: it is alone, and what settlements said is applied before.
    case alone
    /// Other claims: rows that settlements share are its own, and what was said to them is applied before.
    case claim
    /// Only one that is alone: settlements, new jobs, leases.
    case beside
}

/// What every writing transaction begins with: its turn, then the time, and whether the schema is one that is known here.
struct Opening {
    /// How far the time that is noted may lie behind.
    private static let floorStep: Milliseconds = 1_000

    let now: Now
    let permit: SchemaPermit
    /// What settlements said, oldest first; of a transaction that does not go beside others.
    let closings: [SharedClosing]
    /// What was asked in the same round trip.
    let asked: [Rows]

    /// Everybody's, shared by those that go beside each other; released with the commit, as all are.
    private static let alone = Call(
        Statement("turn-alone", "SELECT pg_advisory_xact_lock(7464, 1)::text IS NULL"))
    private static let beside = Call(
        Statement("turn-beside", "SELECT pg_advisory_xact_lock_shared(7464, 1)::text IS NULL"))
    private static let claim = Call(
        Statement("turn-claim", "SELECT pg_advisory_xact_lock(7464, 2)::text IS NULL"))

    private static let standing = Call(
        Statement(
            "standing",
            assembled: """
                SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint, clock_floor,
                    current_setting('server_version'), \(Schema.Found.columns)
                FROM renga
                """, isKept: true))

    init(
        _ access: Access, _ time: DatabaseTime, _ schema: SchemaWatch, _ turn: Turn, asking calls: [Call]
    ) throws {
        let locks: [Call] =
            switch turn {
            case .alone: [Self.alone]
            case .claim: [Self.beside, Self.claim]
            case .beside: [Self.beside]
            }
        let closings = turn == .beside ? [] : [SharedClosings.take]
        let answers = try access.query(locks + [Self.standing] + closings + calls)
        let standing = try Standing(answers[locks.count])
        permit = try schema.note(standing.schema) { call in try access.query([call])[0] }
        now = time.note(standing.clock, floor: standing.floor)
        if now.timestamp.milliseconds >= standing.floor + Self.floorStep {
            access.queueLast(.raiseFloor, [.integer(now.timestamp.milliseconds)])
        }
        asked = Array(answers.suffix(calls.count))
        self.closings = closings.isEmpty ? [] : try SharedClosings.read(answers[locks.count + 1], access)
    }

    /// Returns the server's version.
    static func look(_ connection: Connection, _ time: DatabaseTime) throws -> String {
        let standing = try Standing(connection.run([standing])[0])
        _ = time.note(standing.clock, floor: standing.floor)
        return standing.server
    }

    private struct Standing {
        let clock: Int64
        let floor: Int64
        let server: String
        let schema: Schema.Found

        init(_ rows: Rows) throws {
            guard let row = rows.first else {
                throw JobStoreError(.unsuitable, "the database has lost its table renga")
            }
            (clock, floor, server) = (try row.int64(0), try row.int64(1), try row.text(2))
            schema = try Schema.Found(row, from: 3)
        }
    }
}

extension Statement {
    /// Whoever is not first need not wait: another raises it at this moment.
    fileprivate static let raiseFloor = Statement(
        "raise-floor",
        """
        UPDATE renga
        SET clock_floor = $1::bigint
        WHERE id IN (SELECT id FROM renga WHERE clock_floor < $1::bigint FOR NO KEY UPDATE SKIP LOCKED)
        """, .bigint)
}
