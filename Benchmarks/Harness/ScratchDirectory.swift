import FoundationEssentials

/// A folder on the disk that holds the working directory, so that the figures are of a real disk.
struct ScratchDirectory {
    let path: String

    init() throws {
        path = FileManager.default.currentDirectoryPath + "/.build/bench-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() {
        // What remains is under .build, which is not kept.
        try? FileManager.default.removeItem(atPath: path)
    }
}
