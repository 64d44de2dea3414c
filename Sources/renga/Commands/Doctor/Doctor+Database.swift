import JobStoreSQLite
import SQLite
import System

extension Doctor {
    /// Above this a look at every page takes too long for a check.
    private static let integrityLimit = 2 << 30
    private static let scarce = 1 << 30
    private static let tooLittle = 100 << 20

    func database(_ path: String) -> [Finding] {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        if checksServer, !fileExists(path) {
            return [.doubtful("database", "the server's, \(path), is not on this machine; \(Self.there)")]
        }
        guard fileExists(folder) else {
            return [
                .broken("database", "RENGA_DATABASE is “\(path)”, and there is no folder \(folder); make it")
            ]
        }
        let file =
            fileExists(path)
            ? open(path) : .fine("database", "\(path) is not there yet; the first start makes it")
        return [file, volume(path, folder), space(folder)]
    }

    private func open(_ path: String) -> Finding {
        let size = fileSize(path) ?? 0
        do {
            let found = try DatabaseCheck(path: path, checksPages: size < Self.integrityLimit)
            if found.isForeign {
                return .broken("database", "\(path) belongs to another program; choose another file")
            }
            if let damage = found.damage {
                return .broken(
                    "database", "\(path) is damaged (\(damage)); stop renga and go back to a backup")
            }
            if found.schemaVersion > found.knownVersion {
                return .broken("database", "\(path) was made by a newer renga: use that one")
            }
            return .fine(
                "database", "\(path), schema \(found.schemaVersion), \(Text.bytes(size)), whole and writable")
        } catch {
            return .broken("database", "\(path) cannot be used: \(error)")
        }
    }

    private func volume(_ path: String, _ folder: String) -> Finding {
        do {
            try Volume.check(holding: path)
        } catch {
            return .broken("volume", error.message)
        }
        guard let type = try? fileSystemType(folder) else {
            return .doubtful("volume", "of a kind that /proc does not tell")
        }
        return .fine("volume", "\(type), local to this machine")
    }

    private func space(_ folder: String) -> Finding {
        guard let free = try? diskFree(folder) else {
            return .doubtful("disk", "the system does not tell the free space")
        }
        let text = "\(Text.bytes(free)) free"
        if free < Self.tooLittle { return .broken("disk", "\(text): too little to go on; make room") }
        return free < Self.scarce ? .doubtful("disk", "\(text): make room soon") : .fine("disk", text)
    }

    var sqlite: Finding {
        guard SQLiteVersion.hasWALResetBug else { return .fine("sqlite", SQLiteVersion.current) }
        return .fine(
            "sqlite",
            """
            \(SQLiteVersion.current), which can lose data when another program writes the file during a checkpoint; \
            renga keeps the two apart, so open the file with renga only (mended in 3.51.3)
            """)
    }

    func files(_ settings: ServiceSettings) -> Finding {
        let limit = raiseFileLimit()
        let needed = settings.concurrency + 256
        return limit >= needed
            ? .fine("open files", "\(Text.number(limit)) allowed")
            : .broken(
                "open files",
                "\(limit) allowed, \(needed) needed for RENGA_CONCURRENCY \(settings.concurrency): ulimit -n \(needed)"
            )
    }
}
