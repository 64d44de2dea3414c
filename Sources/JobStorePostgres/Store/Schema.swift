import Jobs
import Migrations
import Postgres

/// The schema's version, kept in the table `renga`, and what it leaves to processes that know an older one (decision 27).
enum Schema {
    /// The one that this binary knows.
    static let version = Migration.postgres.last?.version ?? 0

    /// What a process may do.
    enum Standing: Equatable {
        /// All.
        case works
        /// It ends what it has begun: settles its calls and keeps their leases until then.
        case finishes
        /// Nothing that writes.
        case stopped
    }

    /// What the table `renga` says.
    struct Found: Equatable {
        var version: Int
        /// The oldest version whose processes may go on as if nothing had changed.
        var worksFrom: Int
        /// The oldest version whose processes may settle their calls.
        var settlesFrom: Int

        func standing(knowing known: Int = Schema.version) -> Standing {
            if known >= version || known >= worksFrom { return .works }
            return known >= settlesFrom ? .finishes : .stopped
        }

        /// Throws `unsuitable` for one that takes part in a move.
        func demandUnmoved(_ ask: (Call) throws -> Rows) throws {
            if let refusal = try moveRefusal(ask) { throw JobStoreError(.unsuitable, refusal) }
        }

        /// Why nobody may work on the database, as it takes part in a move; nil if it does not.
        func moveRefusal(_ ask: (Call) throws -> Rows) throws -> String? {
            guard version < 0 else { return nil }
            guard try ask(Call(.hasMark)).first?.bool(0) == true, let row = try ask(Call(.mark)).first,
                let state = MoveMark.State(rawValue: try row.text(0))
            else { return MoveMark.missing }
            let mark = MoveMark(
                state, id: try row.int64(1), source: try row.text(2), target: try row.text(3),
                begunAt: try row.int64(4), boot: try row.int64(5), difference: try row.int64(6))
            return mark.refusal(begun: Timestamp(milliseconds: mark.begunAt).text)
        }

        /// Throws `schemaTooNew` unless this process may do that.
        func demand(_ needed: Standing, knowing known: Int = Schema.version) throws(JobStoreError) {
            let standing = standing(knowing: known)
            guard standing != .works, standing != needed else { return }
            throw JobStoreError(.schemaTooNew, explanation(knowing: known))
        }

        func explanation(knowing known: Int = Schema.version) -> String {
            "the database has schema version \(version), this renga knows \(known): replace this process by the newer renga"
        }
    }
}

extension Schema.Found {
    static let columns = "version, works_from, settles_from"

    /// Of three columns, the first of which is that one.
    init(_ row: Row, from first: Int = 0) throws {
        self.init(
            version: try row.int(first), worksFrom: try row.int(first + 1),
            settlesFrom: try row.int(first + 2))
    }
}

extension Statement {
    fileprivate static let hasMark = Statement("has-mark", "SELECT to_regclass('move_mark') IS NOT NULL")
    fileprivate static let mark = Statement(
        "move-mark", assembled: "SELECT \(MoveMark.columns) FROM move_mark")
}
