import Foundation

/// A real TLS server on loopback with a certificate that nobody signed but itself: `openssl s_server`.
///
/// It answers each request with a page of its own, status 200.
package final class TLSServer: Sendable {
    package let url: String
    /// The certificate in PEM form.
    package let certificate: String
    private let folder: URL
    /// As long as it is open, a shell keeps the server: it ends with this process, however that ends, and by a signal that
    /// cannot be blocked, as tests block others.
    private let keeper = Pipe()

    package static var isPossible: Bool { FileManager.default.isExecutableFile(atPath: tool) }
    private static let tool = "/usr/bin/openssl"

    package struct Failed: Error {
        package var words: String
    }

    package init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "renga-tls-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        certificate = folder.appending(path: "cert.pem").path
        let key = folder.appending(path: "key.pem").path
        let maker = Self.process([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-subj",
            "/CN=renga test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
        ])
        try maker.run()
        maker.waitUntilExit()
        guard maker.terminationStatus == 0 else { throw Failed(words: "openssl made no certificate") }
        let process = Self.process([
            "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", certificate, "-key", key,
        ])
        process.arguments =
            ["-c", #""$@" & read -r _; kill -9 $!"#, "sh", Self.tool] + (process.arguments ?? [])
        process.executableURL = URL(filePath: "/bin/sh")
        process.standardInput = keeper
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        url = "https://127.0.0.1:\(try Self.port(output.fileHandleForReading))"
    }

    deinit {
        // Closed already if the descriptor is gone: then the server is, too.
        try? keeper.fileHandleForWriting.close()
        try? FileManager.default.removeItem(at: folder)
    }

    private static func process(_ words: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(filePath: tool)
        process.arguments = words
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// It says `ACCEPT 127.0.0.1:PORT` as soon as it listens.
    private static func port(_ output: FileHandle) throws -> Int {
        var text = ""
        while true {
            let data = output.availableData
            guard !data.isEmpty else { throw Failed(words: "openssl s_server ended: \(text)") }
            text += String(decoding: data, as: UTF8.self)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            guard let line = lines.first(where: { $0.hasPrefix("ACCEPT") }) else { continue }
            guard let port = line.split(separator: ":").last.flatMap({ Int($0) }) else {
                throw Failed(words: "openssl s_server says \(line)")
            }
            return port
        }
    }
}
