import Glibc

/// What the system lets a database grow by.
package enum DiskSpace {
    /// Below this even small requests may fail.
    package static let least = 2 << 20

    /// Why there is too little of it; nil if there is enough, or the system does not tell.
    package static func shortage(at path: String) -> Shortage? {
        let files = DatabaseFiles(path)
        var disk = statvfs()
        if statvfs(Volume.directory(of: files.path), &disk) == 0 {
            let free = Int(clamping: UInt64(disk.f_bavail) * UInt64(disk.f_frsize))
            if free < least { return .disk(free: free) }
        }
        let limit = fileSizeLimit
        let size = max(DatabaseFiles.size(files.path) ?? 0, DatabaseFiles.size(files.log) ?? 0)
        return limit - size < least ? .fileSize(limit: limit) : nil
    }

    package enum Shortage: Sendable, Equatable {
        case disk(free: Int)
        /// RLIMIT_FSIZE of the process.
        case fileSize(limit: Int)
    }

    /// The largest file that this process may write.
    package static var fileSizeLimit: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { return .max }
        return Int(clamping: limit.rlim_cur)
    }
}
