import CSQLite

/// What kind of volume a file lies on.
///
/// In WAL mode the processes share memory and locks, which works within one kernel only. Over a network, or
/// through the file sharing of a virtual machine, it corrupts the file within minutes.
package enum Volume {
    /// Throws `unsafeVolume` for a path (existing or not) on a volume known to be unsafe.
    package static func check(holding path: String) throws(SQLiteError) {
        guard path != ":memory:", !path.isEmpty else { return }
        // The file itself may be a link to elsewhere. What cannot be examined (type 0) cannot be opened either,
        // and that error says more.
        let ownType = csqlite_volume_type(path)
        let type = ownType != 0 ? ownType : csqlite_volume_type(directory(of: path))
        guard let name = unsafeName(forType: type) else { return }
        throw SQLiteError(
            code: SQLiteError.unsafeVolume,
            message:
                "\(path) is on a \(name) volume, where SQLite loses data; use a local disk or a named volume")
    }

    /// The name of a file system known to be unsafe, by the magic number that statfs(2) reports.
    static func unsafeName(forType type: UInt32) -> String? {
        switch type {
        case 0x6969: "NFS"
        case 0x517B, 0xFF53_4D42, 0xFE53_4D42: "SMB"
        case 0x0102_1997: "9p"
        // Docker Desktop's bind mounts (virtiofs, gRPC FUSE) say FUSE too.
        case 0x6573_5546: "FUSE"
        case 0x00C3_6400: "Ceph"
        case 0x5346_414F: "AFS"
        case 0x0BD0_0BD0: "Lustre"
        case 0x786F_4256: "VirtualBox shared folder"
        default: nil
        }
    }

    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
