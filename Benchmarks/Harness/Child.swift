import Foundation
import Synchronization

/// A program that runs beside this one, with its output in a file.
///
/// It is ended by its own number, and with this process.
final class Child: Sendable {
    let log: String
    let started: ContinuousClock.Instant
    private let process: Process
    private let input: Pipe
    private let ended: AsyncStream<Void>

    fileprivate init(
        _ program: String, _ arguments: [String], environment: [String: String], log: String
    ) throws {
        let output = try FileHandle(creating: log)
        let (ended, continuation) = AsyncStream.makeStream(of: Void.self)
        process = Process()
        input = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        process.terminationHandler = { _ in continuation.finish() }
        self.log = log
        self.ended = ended
        started = .now
        try process.run()
        try output.close()
    }

    var number: Int32 { process.processIdentifier }

    /// Sends a line to its standard input.
    func send(_ line: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    /// What it has printed so far.
    var output: String {
        String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
    }

    /// The first line that holds a text, once it is there; looks every two milliseconds.
    func line(with text: String, within limit: Duration = .seconds(20)) async throws -> String {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if let line = output.split(separator: "\n").first(where: { $0.contains(text) }) {
                return String(line)
            }
            guard process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw BenchmarkError("“\(text)” did not come from \(process.arguments ?? []); its output:\n\(output)")
    }

    /// Returns when it has ended by itself; throws if it ended badly or not in time.
    func wait(within limit: Duration) async throws {
        let alarm = Task {
            try await Task.sleep(for: limit)
            process.terminate()
        }
        for await _ in ended {}
        alarm.cancel()
        guard process.terminationStatus == 0 else {
            throw BenchmarkError(
                "\(process.arguments ?? []) ended with \(process.terminationStatus):\n\(output)")
        }
    }

    /// Asks it to end, insists after some seconds, and returns when it has.
    func stop() async {
        process.terminate()
        let alarm = Task {
            try await Task.sleep(for: .seconds(10))
            kill()
        }
        for await _ in ended {}
        alarm.cancel()
    }

    /// Ends it at once, without waiting.
    fileprivate func kill() {
        if process.isRunning { Foundation.kill(number, SIGKILL) }
    }
}

/// All programs that were started, so that none outlives this one.
final class Children: Sendable {
    private let all = Mutex<[Child]>([])

    /// The environment is what is given and nothing else: no setting of the person's shell leaks into a figure.
    func start(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], log: String
    ) throws -> Child {
        let child = try Child(program, arguments, environment: environment, log: log)
        all.withLock { $0.append(child) }
        return child
    }

    func endAll() {
        for child in all.withLock({ $0 }) { child.kill() }
    }
}

extension FileHandle {
    /// An empty file, open for writing.
    convenience init(creating path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil) else {
            throw BenchmarkError("cannot create \(path)")
        }
        try self.init(forWritingTo: URL(fileURLWithPath: path))
    }
}
