import Foundation
import System
import Testing

@Suite struct FilesTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `a secret is readable by its owner only and leaves nothing beside it`() throws {
        let path = folder.file("api-key")
        #expect(try createSecretFile(path: path, bytes: Array("first".utf8)))
        #expect(try !createSecretFile(path: path, bytes: Array("second".utf8)))
        #expect(try readFile(path, limit: 100) == Array("first".utf8))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["api-key"])
    }

    @Test func `a secret that cannot be put in place leaves nothing behind`() throws {
        let path = folder.file("taken")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(try !createSecretFile(path: path, bytes: [1]))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["taken"])
    }

    @Test func `reading stops at the limit`() throws {
        let path = try folder.write("ten", [UInt8](repeating: 7, count: 10))
        #expect(try readFile(path, limit: 10).count == 10)
        let error = #expect(throws: SystemError.self) { _ = try readFile(path, limit: 9) }
        #expect(error?.message == "\(path) has more than 9 bytes")
        let large = try folder.write("large", [UInt8](repeating: 7, count: 200_000))
        #expect(try readFile(large, limit: .max - 1).count == 200_000)
        #expect(throws: SystemError.self) { _ = try readFile("/dev/zero", limit: 100_000) }
    }

    @Test func `a missing file is an error that says which and why`() {
        let error = #expect(throws: SystemError.self) { _ = try readFile(folder.file("none"), limit: 1) }
        #expect(error?.code == ENOENT)
        #expect(error?.description == "cannot open \(folder.file("none")): No such file or directory")
        #expect(!fileExists(folder.file("none")))
        #expect(fileExists(folder.path))
    }

    @Test func `writing to a closed descriptor throws`() {
        #expect(throws: SystemError.self) { try writeAll(-1, [1]) }
    }

    @Test func `the disk tells its free space and its kind`() throws {
        #expect(try diskFree(folder.path) > 0)
        #expect(try fileSystemType("/proc/self/status") == "proc")
        #expect(try !fileSystemType(folder.path).isEmpty)
        #expect(throws: SystemError.self) { _ = try diskFree(folder.file("none")) }
        #expect(throws: SystemError.self) { _ = try fileSystemType(folder.file("none")) }
    }
}

@Suite struct OutputFileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `an output takes its name when it is complete, and not before`() throws {
        let path = folder.file("results")
        var output = try OutputFile(path: path)
        try output.append(Array("one\n".utf8))
        #expect(!fileExists(path))
        try output.append(Array("two\n".utf8))
        try output.finish()
        #expect(try readFile(path, limit: 100) == Array("one\ntwo\n".utf8))
        #expect(fileSize(path) == 8)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["results"])
    }

    @Test func `an output that is given up leaves nothing behind`() throws {
        do {
            var output = try OutputFile(path: folder.file("results"))
            try output.append([1])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func `a secret is made once, and a later attempt leaves it as it is`() throws {
        let path = folder.file("api-key")
        #expect(try createSecretFile(path: path, bytes: [1]))
        #expect(try !createSecretFile(path: path, bytes: [2]))
        #expect(try readFile(path, limit: 1) == [1])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["api-key"])
    }
}
