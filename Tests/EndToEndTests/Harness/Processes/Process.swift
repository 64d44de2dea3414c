import Glibc
import System

/// What the system knows of a process of ours.
extension Child {
    /// Memory held in RAM, in bytes.
    func residentBytes() throws -> Int {
        let fields = try proc("statm").split(separator: " ")
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    /// The most memory that it ever held in RAM, in bytes: `VmHWM` of proc(5).
    func peakBytes() throws -> Int {
        let line = try proc("status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }

    func descriptors() throws -> Int {
        guard let folder = opendir("/proc/\(pid)/fd") else { throw Disappointment("\(name) is gone") }
        defer { closedir(folder) }
        var count = -2
        while readdir(folder) != nil { count += 1 }
        return count
    }

    /// Processor time so far, in user and system mode.
    func cpuSeconds() throws -> Double {
        // Fields 14 and 15, counted behind the name, which may hold anything: proc(5).
        let text = try proc("stat")
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            return 0
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private func proc(_ file: String) throws -> String {
        String(decoding: try readFile("/proc/\(pid)/\(file)", limit: 65_536), as: UTF8.self)
    }
}
