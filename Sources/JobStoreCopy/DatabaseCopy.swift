package import Postgres
import SQLite

/// All rows of a database of renga's, written into one of the other kind; ids stay as they are.
///
/// A copy that ended early is taken up again by the same call, with the scale of the first. Nobody may work with either database meanwhile: what changes in the
/// source behind the copy is found by the comparison at the end, and nothing else. All throw a `CopyError` of a row or a
/// database that cannot be copied, or what one of the databases refuses.
package enum DatabaseCopy {
    /// Copies a PostgreSQL database into a SQLite file, which is made for it.
    ///
    /// Without `isVerified` nothing is read back; what is returned is empty then.
    @discardableResult
    package static func copy(
        from session: Session, toFile path: String, _ scale: MomentScale = .same, isVerified: Bool = true,
        onProgress: @escaping @Sendable (CopyProgress) -> Void = { _ in }
    ) async throws -> [TableSum] {
        let file = try FileWriter(path: path)
        do {
            let sums = try await session.run { connection in
                try connection.transaction(.snapshot, limits: .long) { transaction in
                    var file = file
                    let source = try ServerReader(transaction)
                    try source.checkWhole()
                    _ = try file.begin(scale)
                    try Copy(source: source, target: file, onProgress: onProgress).run()
                    let sums = isVerified ? try source.sums() : []
                    try Copy.compare(sums, isVerified ? file.sums() : [])
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
        fromFile path: String, to session: Session, _ scale: MomentScale,
        onProgress: @escaping @Sendable (CopyProgress) -> Void = { _ in }
    ) async throws -> [TableSum] {
        try await session.run { connection in
            let file = try SQLite.Connection(path: path, mode: .read)
            return try file.snapshot {
                let target = ServerWriter(connection)
                try FileReader(file, scale).checkWhole()
                let source = FileReader(file, try target.begin(scale))
                try Copy(source: source, target: target, onProgress: onProgress).run()
                let sums = try source.sums()
                try Copy.compare(sums, target.sums())
                try target.finish()
                return sums
            }
        }
    }
}
