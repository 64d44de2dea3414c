import Foundation
import System

/// What the figures were measured on.
enum Machine {
    /// USER_HZ, which is 100 on every Linux that Swift runs on.
    static let ticksPerSecond = 100.0

    static func folderOfThisProgram() throws -> String {
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    /// For example `AMD EPYC, 2 cores, 24 GiB, Linux 6.1.0, ext4`.
    static func description(of folder: String) -> String {
        let info = ProcessInfo.processInfo
        let memory = Table.number((Double(info.physicalMemory) / 1_073_741_824).rounded())
        let kernel = text("/proc/sys/kernel/osrelease").split(separator: "\n").first.map(String.init) ?? "?"
        let disk = (try? fileSystemType(folder)) ?? "an unknown file system"
        return "\(processor), \(info.processorCount) cores, \(memory) GiB, Linux \(kernel), \(disk)"
    }

    private static var processor: String {
        let lines = text("/proc/cpuinfo").split(separator: "\n")
        let line = lines.first { $0.hasPrefix("model name") || $0.hasPrefix("CPU part") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
            ?? "unknown CPU"
    }

    /// The mean number of runnable threads over the last minute.
    static var load: Double {
        text("/proc/loadavg").split(separator: " ").first.flatMap { Double($0) } ?? 0
    }

    /// A build that has just ended hangs in the mean for a minute or two; throws if it is something else.
    static func waitForQuiet() async throws {
        let deadline = ContinuousClock.now + .seconds(180)
        if load > quietLoad { note("waiting for a load below \(quietLoad), at most 3 minutes …") }
        while load > quietLoad {
            guard ContinuousClock.now < deadline else {
                throw BenchmarkError(
                    "the load stays at \(Table.number(load)): nothing measured now would be worth keeping")
            }
            try await Task.sleep(for: .seconds(2))
        }
    }

    private static let quietLoad = 1.0

    /// How long the disk takes to take 4 KiB for good: `fsync` after each of 200 appends.
    static func measureSync(in folder: String) throws -> Latencies {
        let file = try FileHandle(creating: folder + "/sync")
        defer { try? file.close() }
        let page = Data(repeating: 0x61, count: 4096)
        let clock = ContinuousClock()
        return Latencies(
            try (0..<200).map { _ in
                try file.write(contentsOf: page)
                return try clock.measure { try file.synchronize() }.milliseconds
            })
    }

    /// Processor seconds of everybody since the start, steal included, and of this process with its ended children.
    static func processorSeconds() -> (everybody: Double, ours: Double) {
        let line = text("/proc/stat").split(separator: "\n").first?.split(separator: " ").dropFirst() ?? []
        let ticks = line.prefix(8).compactMap { Double($0) }
        // The fourth and the fifth are idle time and waiting for the disk.
        let busy = ticks.enumerated().filter { $0.offset != 3 && $0.offset != 4 }.map(\.element)
        let own = text("/proc/self/stat").split(separator: ")").last?.split(separator: " ") ?? []
        let ours = own.count > 14 ? own[11...14].compactMap { Double($0) } : []
        return (busy.reduce(0, +) / ticksPerSecond, ours.reduce(0, +) / ticksPerSecond)
    }

    private static func text(_ path: String) -> String {
        String(decoding: (try? readFile(path, limit: 1 << 20)) ?? [], as: UTF8.self)
    }
}
