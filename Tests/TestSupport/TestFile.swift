import Foundation

/// Writes a file in place of what was there, for its owner alone; others see all of it or nothing.
package func writeTestFile(path: String, bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(filePath: path), options: .atomic)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
}
