import System

/// What the kernel says of a process: proc(5).
struct ProcessFacts {
    /// Processor time of all its threads so far.
    var cpuSeconds: Double
    /// Memory in RAM, libraries that it shares with others included.
    var residentMiB: Double
    /// The most that it ever had there.
    var peakMiB: Double

    init(_ number: Int32) throws {
        let stat = try readFile("/proc/\(number)/stat", limit: 1 << 16)
        // The second field, the program's name, may hold spaces; it ends with the last bracket.
        let fields =
            String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw BenchmarkError("/proc/\(number)/stat is of an unknown form")
        }
        cpuSeconds = (user + system) / Machine.ticksPerSecond
        let status = String(decoding: try readFile("/proc/\(number)/status", limit: 1 << 16), as: UTF8.self)
        residentMiB = Self.mebibytes("VmRSS:", in: status)
        peakMiB = Self.mebibytes("VmHWM:", in: status)
    }

    /// Processor time of a process and its children, those that have ended included.
    static func familyCPUSeconds(_ number: Int32) -> Double {
        let path = "/proc/\(number)/task/\(number)/children"
        let children = (try? readFile(path, limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let living = children.split(separator: " ").compactMap { Int32($0) }
        return ticks(number, 11...14) + living.reduce(0) { $0 + ticks($1, 11...12) }
    }

    /// Some fields of its times, in seconds; 0 for one that has ended.
    private static func ticks(_ number: Int32, _ fields: ClosedRange<Int>) -> Double {
        let stat = (try? readFile("/proc/\(number)/stat", limit: 1 << 16)) ?? []
        let all =
            String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        guard all.count > fields.upperBound else { return 0 }
        return all[fields].compactMap { Double($0) }.reduce(0, +) / Machine.ticksPerSecond
    }

    private static func mebibytes(_ name: String, in status: String) -> Double {
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        let fields = line?.split { $0 == " " || $0 == "\t" } ?? []
        return fields.count > 1 ? (Double(fields[1]) ?? 0) / 1024 : 0
    }
}

extension Child {
    /// Of this moment.
    func facts() throws -> ProcessFacts { try ProcessFacts(number) }
}
