import Foundation
import Synchronization

/// The real binary as a child process, with an environment that holds nothing but what the test says.
final class Program: Sendable {
    struct Ended: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    let output = Transcript()
    let errors = Transcript()
    private let process: Process
    private let ending: Task<Int32, Never>

    init(_ words: [String], _ environment: [String: String] = [:], in folder: URL, input: String = "") throws
    {
        let process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(
            path: "renga")
        process.arguments = words
        process.environment = environment
        process.currentDirectoryURL = folder
        let inputPipe = Pipe()
        (process.standardInput, process.standardOutput, process.standardError) =
            (inputPipe, output.pipe, errors.pipe)
        let (statuses, continuation) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { ended in
            continuation.yield(ended.terminationStatus)
            continuation.finish()
        }
        try process.run()
        output.begin()
        errors.begin()
        try inputPipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try inputPipe.fileHandleForWriting.close()
        self.process = process
        ending = Task { await statuses.first { _ in true } ?? -1 }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits until it has ended and all of its output has come.
    func end() async -> Ended {
        let status = await ending.value
        return await Ended(status: status, output: output.whole(), errors: errors.whole())
    }
}

/// What a program writes, as it comes.
final class Transcript: Sendable {
    let pipe = Pipe()
    private let lines: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let text = Mutex((bytes: Data(), isWhole: false))

    init() {
        (lines, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Reads to the end on a thread of its own: Foundation's handlers for pipes crash when many come and go.
    func begin() {
        Thread.detachNewThread { [self] in
            while true {
                let data = pipe.fileHandleForReading.availableData
                text.withLock { text in
                    text.bytes += data
                    text.isWhole = data.isEmpty
                }
                continuation.yield()
                if data.isEmpty { return }
            }
        }
    }

    /// The text from a word on to the end of its line, once it has come; nil where it never does.
    func line(from word: String) async -> String? {
        await first { text in
            guard let start = text.range(of: word), let end = text[start.lowerBound...].firstIndex(of: "\n")
            else {
                return nil
            }
            return String(text[start.lowerBound..<end])
        }
    }

    func whole() async -> String {
        _ = await first { _ in String?.none }
        return text.withLock { String(decoding: $0.bytes, as: UTF8.self) }
    }

    private func first(_ find: (String) -> String?) async -> String? {
        // Ends without a find when the test runs out of time.
        while !Task.isCancelled {
            let (found, isWhole) = text.withLock { text in
                (find(String(decoding: text.bytes, as: UTF8.self)), text.isWhole)
            }
            if found != nil || isWhole { return found }
            _ = await lines.first { _ in true }
        }
        return nil
    }
}

/// A folder of its own for a test, gone with it.
final class Folder: Sendable {
    let url = FileManager.default.temporaryDirectory.appending(path: "renga-test-\(UUID())")

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ name: String, _ lines: [String]) throws {
        try (lines.joined(separator: "\n") + "\n").write(
            to: url.appending(path: name), atomically: true, encoding: .utf8)
    }

    func lines(_ name: String) throws -> [String] {
        try String(contentsOf: url.appending(path: name), encoding: .utf8).split(separator: "\n").map(
            String.init)
    }
}
