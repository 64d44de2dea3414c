import Foundation

/// A folder that goes with its test.
final class TemporaryDirectory: Sendable {
    let path: String
    var database: String { path + "/renga.db" }

    init() throws {
        path = NSTemporaryDirectory() + "renga-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
