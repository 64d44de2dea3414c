import Testing

@testable import SQLite

struct FactsTests {
    @Test(
        arguments: [
            (3_006_023, false), (3_007_000, true), (3_040_001, true), (3_051_002, true), (3_051_003, false),
        ] as [(Int32, Bool)])
    func `the versions with the WAL-reset bug are known`(version: Int32, hasBug: Bool) {
        #expect(SQLiteVersion.hasWALResetBug(inVersion: version) == hasBug)
    }

    @Test func `the version is that of the loaded library`() throws {
        let connection = try Connection(path: ":memory:")
        #expect(try connection.queryOne("SELECT sqlite_version()") { $0.text(0) } == SQLiteVersion.current)
    }

    @Test(arguments: [0x6969, 0xFF53_4D42, 0xFE53_4D42, 0x0102_1997, 0x6573_5546] as [UInt32])
    func `volumes that several kernels share are refused by name`(type: UInt32) {
        #expect(Volume.unsafeName(forType: type) != nil)
    }

    @Test(arguments: [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0] as [UInt32])
    func `ext4, XFS, Btrfs, tmpfs, overlayfs and the unknown are not`(type: UInt32) {
        #expect(Volume.unsafeName(forType: type) == nil)
    }

    @Test(arguments: [("a.db", "."), ("/a.db", "/"), ("/var/lib/a.db", "/var/lib"), ("x/a.db", "x")])
    func `the directory of a path is found`(path: String, directory: String) {
        #expect(Volume.directory(of: path) == directory)
    }
}
