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

        /// Throws `unsuitable` for half a copy.
        func demandWhole() throws(JobStoreError) {
            guard version < 0 else { return }
            throw JobStoreError(
                .unsuitable,
                "the database is a copy that is not whole yet: finish the copy, or begin with another")
        }

        /// Throws `schemaTooNew` unless this process may do that.
        func demand(_ needed: Standing, knowing known: Int = Schema.version) throws(JobStoreError) {
            try demandWhole()
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
