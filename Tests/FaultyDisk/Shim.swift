import CSQLite
import Glibc
import Synchronization

/// A file system for SQLite between it and the real one.
///
/// As https://sqlite.org/vfs.html has it. It is the default of the whole process once a disk is watched, as the store
/// names none; files of other folders are opened by the real one, and it never sees them again.
enum Shim {
    private static let disks = Mutex<[String: Disk]>([:])

    static func watch(_ folder: String, _ disk: Disk) {
        precondition(isRegistered, "SQLite refused the file system")
        disks.withLock { $0[folder] = disk }
    }

    static func forget(_ folder: String) {
        disks.withLock { $0[folder] = nil }
    }

    private static func disk(of path: String) -> (disk: Disk, name: String)? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let disk = disks.withLock { $0[String(path[..<slash])] }
        return disk.map { ($0, String(path[path.index(after: slash)...])) }
    }

    // MARK: The file system

    // Never changed after the registration, which locks.
    private nonisolated(unsafe) static let real: UnsafeMutablePointer<sqlite3_vfs> = {
        guard let vfs = sqlite3_vfs_find(nil) else { preconditionFailure("SQLite has no file system") }
        return vfs
    }()

    private static let isRegistered: Bool = {
        let shim = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        // All but these two are the real one's own functions, which find what they need in the copy.
        shim.initialize(to: real.pointee)
        shim.pointee.zName = UnsafePointer(strdup("shim"))
        shim.pointee.pNext = nil
        shim.pointee.szOsFile = Int32(headSize) + real.pointee.szOsFile
        shim.pointee.xOpen = { _, path, file, flags, outFlags in open(path, file, flags, outFlags) }
        shim.pointee.xDelete = { _, path, syncsFolder in remove(path, syncsFolder) }
        return sqlite3_vfs_register(shim, 1) == SQLITE_OK
    }()

    private static func open(
        _ path: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32,
        _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let file, let path, let (disk, name) = disk(of: String(cString: path)) else {
            return real.pointee.xOpen(real, path, file, flags, outFlags)
        }
        file.pointee.pMethods = nil
        // The real one's xAccess takes an empty file for none.
        let isNew = access(path, F_OK) != 0
        let status = disk.perform(.open, nil) {
            real.pointee.xOpen(real, path, below(file), flags, outFlags)
        }
        guard status == SQLITE_OK else { return status }
        // As the real one does: https://sqlite.org/src/file/src/os_unix.c, at UNIXFILE_DIRSYNC.
        let logs = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL
        let number = disk.opened(
            name, isNew: isNew, syncsFolder: flags & SQLITE_OPEN_CREATE != 0 && flags & logs != 0)
        let watched = WatchedFile(disk: disk, number: number)
        head(file).pointee.watched = Unmanaged.passRetained(watched).toOpaque()
        file.pointee.pMethods = methods
        return SQLITE_OK
    }

    private static func remove(_ path: UnsafePointer<CChar>?, _ syncsFolder: Int32) -> Int32 {
        let status = real.pointee.xDelete(real, path, syncsFolder)
        if status == SQLITE_OK, let path, let (disk, name) = disk(of: String(cString: path)) {
            disk.removed(name, syncsFolder: syncsFolder != 0)
        }
        return status
    }

    // MARK: A file

    private final class WatchedFile: Sendable {
        let disk: Disk
        let number: Disk.FileNumber

        init(disk: Disk, number: Disk.FileNumber) {
            self.disk = disk
            self.number = number
        }
    }

    /// What SQLite holds of a file: this, and behind it the real one's.
    private struct Head {
        var base: sqlite3_file
        var watched: UnsafeMutableRawPointer?
    }

    private typealias File = UnsafeMutablePointer<sqlite3_file>

    /// A multiple of what any type needs to be aligned to.
    private static let headSize = (MemoryLayout<Head>.size + 15) / 16 * 16

    private static func head(_ file: File) -> UnsafeMutablePointer<Head> {
        UnsafeMutableRawPointer(file).assumingMemoryBound(to: Head.self)
    }

    private static func below(_ file: File) -> File {
        (UnsafeMutableRawPointer(file) + headSize).assumingMemoryBound(to: sqlite3_file.self)
    }

    private static func watched(_ file: File) -> WatchedFile {
        guard let pointer = head(file).pointee.watched else { preconditionFailure("the file is closed") }
        return Unmanaged<WatchedFile>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// The real file and its functions.
    private static func pass(_ file: File?, _ body: (File, sqlite3_io_methods) -> Int32) -> Int32 {
        guard let file, let methods = below(file).pointee.pMethods else { return SQLITE_MISUSE }
        return body(below(file), methods.pointee)
    }

    /// The same, unless the disk makes it fail.
    private static func pass(
        _ operation: Disk.Operation, _ file: File?, _ event: (Disk.FileNumber) -> Disk.Event?,
        _ body: (File, sqlite3_io_methods) -> Int32
    ) -> Int32 {
        guard let file else { return SQLITE_MISUSE }
        let watched = watched(file)
        return watched.disk.perform(operation, event(watched.number)) { pass(file, body) }
    }

    // Written once, before SQLite sees it.
    private nonisolated(unsafe) static let methods: UnsafePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: sqlite3_io_methods())
        methods.pointee.iVersion = 3
        methods.pointee.xClose = { file in
            let status = pass(file) { $1.xClose($0) }
            if let file, let watched = head(file).pointee.watched {
                Unmanaged<WatchedFile>.fromOpaque(watched).release()
                head(file).pointee.watched = nil
            }
            return status
        }
        methods.pointee.xRead = { file, bytes, count, offset in
            pass(file) { $1.xRead($0, bytes, count, offset) }
        }
        methods.pointee.xWrite = { file, bytes, count, offset in
            pass(.write, file) { number in
                let written = UnsafeRawBufferPointer(start: bytes, count: Int(count))
                return .wrote(number, at: Int(offset), Array(written))
            } _: {
                $1.xWrite($0, bytes, count, offset)
            }
        }
        methods.pointee.xTruncate = { file, size in
            pass(.truncate, file) {
                .truncated($0, to: Int(size))
            } _: {
                $1.xTruncate($0, size)
            }
        }
        methods.pointee.xSync = { file, _ in
            guard let file else { return SQLITE_MISUSE }
            let (disk, number) = (watched(file).disk, watched(file).number)
            // Nothing outlives the test: the disk itself need not be waited for.
            return disk.perform(.sync, .synced(number), onFailure: .lost(number)) { SQLITE_OK }
        }
        methods.pointee.xFileSize = { file, size in pass(file) { $1.xFileSize($0, size) } }
        methods.pointee.xLock = { file, lock in pass(file) { $1.xLock($0, lock) } }
        methods.pointee.xUnlock = { file, lock in pass(file) { $1.xUnlock($0, lock) } }
        methods.pointee.xCheckReservedLock = { file, result in
            pass(file) { $1.xCheckReservedLock($0, result) }
        }
        methods.pointee.xFileControl = { file, code, argument in
            pass(file) { $1.xFileControl($0, code, argument) }
        }
        methods.pointee.xSectorSize = { file in pass(file) { $1.xSectorSize($0) } }
        methods.pointee.xDeviceCharacteristics = { file in pass(file) { $1.xDeviceCharacteristics($0) } }
        methods.pointee.xShmMap = { file, region, size, extends, pages in
            pass(.share, file) { _ in
                nil
            } _: {
                $1.xShmMap($0, region, size, extends, pages)
            }
        }
        methods.pointee.xShmLock = { file, offset, count, flags in
            pass(file) { $1.xShmLock($0, offset, count, flags) }
        }
        methods.pointee.xShmBarrier = { file in
            _ = pass(file) { file, methods in
                methods.xShmBarrier(file)
                return SQLITE_OK
            }
        }
        methods.pointee.xShmUnmap = { file, removes in pass(file) { $1.xShmUnmap($0, removes) } }
        // Mapping is refused, so that every write is seen.
        methods.pointee.xFetch = { _, _, _, page in
            page?.pointee = nil
            return SQLITE_OK
        }
        methods.pointee.xUnfetch = { _, _, _ in SQLITE_OK }
        return UnsafePointer(methods)
    }()
}
