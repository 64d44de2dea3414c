import Postgres
import System

/// The password for a database server: from the environment, or from a file that the environment names.
enum DatabasePassword {
    static let name = "RENGA_DATABASE_PASSWORD"
    static let fileName = "RENGA_DATABASE_PASSWORD_FILE"

    /// Far more than any password.
    fileprivate static let limit = 64 << 10
}

extension Invocation {
    /// Nil if neither is set: then the URL has one, or libpq finds one (PGPASSFILE), or none is needed.
    func databasePassword() throws -> Password? {
        if let text = environment(DatabasePassword.name), !text.isEmpty { return try Password(text) }
        guard let path = environment(DatabasePassword.fileName), !path.isEmpty else { return nil }
        do {
            var bytes = try readFile(path, limit: DatabasePassword.limit)
            // What editors put at the end of a file is not part of it.
            while let last = bytes.last, last == 10 || last == 13 { bytes.removeLast() }
            return try Password(String(decoding: bytes, as: UTF8.self))
        } catch let error as SystemError {
            throw UsageError(
                "\(DatabasePassword.fileName) is “\(path)”; expected a readable file: \(error)")
        } catch let error as PostgresError {
            throw UsageError("\(DatabasePassword.fileName) is “\(path)”: \(error.message)")
        }
    }
}
