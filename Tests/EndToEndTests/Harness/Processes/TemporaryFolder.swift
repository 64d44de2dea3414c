import Foundation

/// A folder of one test, removed with all that is in it.
struct TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = "/tmp/renga-proof-" + UUID().uuidString.prefix(8).lowercased()
        try FileManager.default.createDirectory(
            atPath: path + "/outputs", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    /// Where what the processes write goes.
    var outputs: String { path + "/outputs" }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
