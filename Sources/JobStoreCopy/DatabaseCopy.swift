import Migrations
package import Postgres
import SQLite

/// All rows of a database of renga's, written into one of the other kind; ids stay as they are.
///
/// A copy that ended early is taken up again by the same call, with the scale of the first. What changes in the source meanwhile is not in it, as it is of
/// one moment; a copy that is taken up again behind a change is found by the comparison at the end (`DatabaseMove` lets nobody change anything). All throw a `CopyError` of a row or a
/// database that cannot be copied, or what one of the databases refuses.
package enum DatabaseCopy {
    /// Copies a PostgreSQL database into a SQLite file, which is made for it.
    ///
    /// Without `isVerified` nothing is read back; what is returned is empty then.
    @discardableResult
    package static func copy(
        from session: Session, toFile path: String, _ scale: MomentScale = .same, isVerified: Bool = true
    ) async throws -> [TableSum] {
        let file = try FileWriter(path: path)
        do {
            let sums = try await session.run { connection in
                try connection.transaction(.snapshot, limits: .long) { transaction in
                    var file = file
                    let source = try ServerReader(transaction)
                    try source.checkSchema()
                    try source.checkParts()
                    _ = try file.begin(MoveMark(scale))
                    try Copy(source: source, target: file).run()
                    let sums = isVerified ? try source.sums() : []
                    try Copy.compare(sums, isVerified ? file.sums { _, _ in } : [])
                    try file.finish()
                    return sums
                }
            }
            await file.close()
            return sums
        } catch {
            await file.close()
            throw error
        }
    }

    /// Copies a SQLite file into a PostgreSQL database, in which there is nothing yet; its schema is made if it has none.
    @discardableResult
    package static func copy(
        fromFile path: String, to session: Session, _ scale: MomentScale
    ) async throws -> [TableSum] {
        try await session.run { connection in
            let file = try SQLite.Connection(path: path, mode: .read)
            return try file.snapshot {
                let target = ServerWriter(connection)
                try FileReader(file, scale).checkSchema()
                try FileReader(file, scale).checkParts()
                let source = FileReader(file, try target.begin(MoveMark(scale)))
                try Copy(source: source, target: target).run()
                let sums = try source.sums()
                try Copy.compare(sums, target.sums { _, _ in })
                try target.finish()
                return sums
            }
        }
    }
}

extension MoveMark {
    /// Of a copy that is no move: nothing is marked but the target, until it is whole.
    init(_ scale: MomentScale) {
        self.init(
            .arriving, id: 0, source: "", target: "", begunAt: 0, boot: scale.boot,
            difference: scale.difference)
    }
}
