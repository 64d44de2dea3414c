import Foundation

/// One run: what it measured, on what, when, and how undisturbed.
struct Report {
    var table = Table()
    private let options: Options
    private let machine: String
    private let sync: Latencies
    private let load: Double
    private let began = ContinuousClock.now
    private let processorsBefore = Machine.processorSeconds()
    /// Of the processors, in percent, once it is over.
    private var takenByOthers = 0.0
    private var ending = ""
    private var server = ""

    /// Beyond it a run is printed, but not kept.
    private static let disturbanceLimit = 15.0

    init(options: Options, scratch: String) throws {
        self.options = options
        machine = Machine.description(of: scratch)
        load = Machine.load
        sync = try Machine.measureSync(in: scratch)
    }

    /// To be called when all programs have ended but the PostgreSQL server, if there is one.
    mutating func finish(_ postgres: PostgresServer) throws {
        server = try postgres.description.map { "; \($0)" } ?? ""
        let after = Machine.processorSeconds()
        let elapsed = (ContinuousClock.now - began).seconds
        let ours = after.ours - processorsBefore.ours + postgres.cpuSeconds
        let others = after.everybody - processorsBefore.everybody - ours
        let capacity = elapsed * Double(ProcessInfo.processInfo.processorCount)
        takenByOthers = max(0, others / capacity * 100)
        ending =
            "Took \(Table.number(elapsed.rounded())) s, in which others and the kernel's own threads took "
        ending += "\(Table.number((takenByOthers * 10).rounded() / 10)) % of the processors."
    }

    var text: String {
        """
        ## \(Self.date), commit \(Self.commit)\(options.isQuick ? ", quick" : "")

        \(machine)\(server); sync of 4 KiB \(sync.text); load before the run \(Table.number(load)).
        \(ending)

        \(table.text)
        """
    }

    /// Throws if the machine was not left alone.
    func append(to path: String) throws {
        guard takenByOthers <= Self.disturbanceLimit else {
            throw BenchmarkError(
                "not recorded: others took more than \(Self.disturbanceLimit) % of the processors")
        }
        guard let file = FileHandle(forWritingAtPath: path) else {
            throw BenchmarkError("\(path) is not here; run it from the top of the checkout")
        }
        try file.seekToEnd()
        try file.write(contentsOf: Data(("\n" + text + "\n").utf8))
        try file.close()
        note("recorded in \(path)")
    }

    private static var date: String {
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withFullDate]
        return format.string(from: Date())
    }

    private static var commit: String {
        let hash = git("rev-parse", "--short", "HEAD")
        let changes = git(
            "status", "--porcelain", "--", "Sources", "migrations", "Benchmarks", "Package.swift")
        return hash.isEmpty ? "unknown" : hash + (changes.isEmpty ? "" : " with changes")
    }

    private static func git(_ arguments: String...) -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git"] + arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return "" }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
