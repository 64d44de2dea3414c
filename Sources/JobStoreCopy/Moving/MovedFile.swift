import Migrations
import SQLite

/// A file in a move, which no other process has open meanwhile.
final class MovedFile: Sendable {
    let writer: FileWriter
    private let file: DatabaseFile

    /// Makes the file if there is none; throws if anybody has it open.
    init(path: String, mode: UInt32) throws {
        file = try DatabaseFile(path: path, mode: mode, isAlone: true)
        do {
            writer = try FileWriter(path: path)
        } catch {
            file.close()
            throw error
        }
    }

    /// To be called when something was written: the log that lies there from then on is known as the file's.
    func noteLog() throws { try file.noteLog() }

    /// Returns once all is on disk; others can open the file again.
    func close() async {
        await writer.close()
        file.close()
    }

    /// Looks at what is there, and changes nothing.
    static func standing(of path: String) throws -> Standing {
        try DatabaseFile.isThere(path) ? look(path) : .empty
    }

    private static func look(_ path: String) throws -> Standing {
        let connection = try Connection(path: path, mode: .read)
        let version = try FileReader.version(of: connection)
        guard try connection.exists("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'job'")
        else {
            return try connection.exists("SELECT 1 FROM sqlite_schema")
                ? .unfit("belongs to another program: name another file") : .empty
        }
        return Standing(
            version: version, newest: FileReader.newestVersion, hasRows: true,
            try MoveMark.find(in: connection))
    }

    /// That of a file whose schema may be another version's.
    static func mark(of path: String) throws -> MoveMark? {
        guard try DatabaseFile.isThere(path) else { return nil }
        return try MoveMark.find(in: Connection(path: path, mode: .read))
    }
}
