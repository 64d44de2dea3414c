import JobStoreSQLite
import Jobs
import SQLite
import System

extension SQLiteDatabase {
    /// Above this a look at every page takes too long for a check.
    private static let integrityLimit = 2 << 30
    private static let scarce = 1 << 30
    private static let tooLittle = 100 << 20

    func examine(ofServer: Bool) -> [Finding] {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        if ofServer, !fileExists(path) {
            return [
                .doubtful(
                    "database", "the server's database \(path) is not on this machine; \(Doctor.there)")
            ]
        }
        guard fileExists(folder) else {
            return [
                .broken(
                    "database",
                    "RENGA_DATABASE is “\(path)”, and the folder \(folder) does not exist: mkdir -p \(Shell.quoted(folder))"
                )
            ]
        }
        let file =
            fileExists(path)
            ? look() : .fine("database", "\(path) does not exist yet; the first start creates it")
        return [file, volume(folder), space(folder)]
    }

    private func look() -> Finding {
        let size = fileSize(path) ?? 0
        do {
            let found = try DatabaseCheck(path: path, checksPages: size < Self.integrityLimit)
            if found.isForeign {
                return .broken(
                    "database", "\(path) belongs to another program; set RENGA_DATABASE to another file")
            }
            if let damage = found.damage {
                return .broken(
                    "database",
                    "\(path) is damaged (\(damage)); stop renga and restore a backup: renga restore FILE")
            }
            if let refusal = found.moveRefusal { return .broken("database", "\(path): \(refusal)") }
            if found.schemaVersion > found.knownVersion {
                return .broken("database", "\(path) was made by a newer renga: install that version")
            }
            return .fine(
                "database", "\(path), schema \(found.schemaVersion), \(Text.bytes(size)), intact and writable"
            )
        } catch {
            return .broken("database", "\(path) cannot be used: \(error)")
        }
    }

    private func volume(_ folder: String) -> Finding {
        do {
            try Volume.check(holding: path)
        } catch {
            return .broken("volume", error.message)
        }
        guard let type = try? fileSystemType(folder) else {
            return .doubtful("volume", "its file system is unknown: /proc does not show it")
        }
        return .fine("volume", "\(type), local to this machine")
    }

    private func space(_ folder: String) -> Finding {
        guard let free = try? diskFree(folder) else {
            return .doubtful("disk", "the free space is unknown")
        }
        let text = "\(Text.bytes(free)) free"
        if free < Self.tooLittle { return .broken("disk", "\(text): too little; make room") }
        return free < Self.scarce ? .doubtful("disk", "\(text): make room soon") : .fine("disk", text)
    }

    func agreement(on subjects: [String]) throws -> AgreementCheck? {
        guard fileExists(path) else { return nil }
        return try AgreementCheck(path: path, subjects: subjects)
    }

    func engine() -> Finding {
        guard SQLiteVersion.hasWALResetBug else { return .fine("sqlite", SQLiteVersion.current) }
        return .fine(
            "sqlite",
            """
            \(SQLiteVersion.current), which can lose data if another program writes the file during a checkpoint; \
            renga prevents this, so open the file with renga only (fixed in 3.51.3)
            """)
    }
}
