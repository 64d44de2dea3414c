import Foundation
import System
import Testing

/// How much memory there is, by what the kernel's files say.
@Suite struct MemoryTests {
    private let root = FileManager.default.temporaryDirectory.appending(path: "renga-memory-\(UUID())").path

    private func limit(_ files: [String: String]) throws -> Int {
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (path, text) in files {
            let url = URL(filePath: root + path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: url, atomically: true, encoding: .utf8)
        }
        return memoryLimit(root: root)
    }

    @Test func `a control group's limit counts, of either version, and of the groups above it`() throws {
        let machine = ["/proc/meminfo": "MemTotal:        8000000 kB\nMemFree: 1 kB\n"]
        let machineBytes = 8_000_000 * 1024
        #expect(try limit(machine) == machineBytes)
        let container = machine.merging([
            "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "536870912\n",
        ]) { $1 }
        #expect(try limit(container) == 512 << 20)
        let unlimited = machine.merging([
            "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "max\n",
        ]) { $1 }
        #expect(try limit(unlimited) == machineBytes)
        let above = unlimited.merging(["/sys/fs/cgroup/a/memory.max": "1000\n"]) { $1 }
        #expect(try limit(above) == 1000)
        let first = machine.merging([
            "/proc/self/cgroup": "9:cpu:/x\n4:memory,hugetlb:/docker/1\n",
            "/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes": "268435456\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        ]) { $1 }
        #expect(try limit(first) == 256 << 20)
        #expect(try limit([:]) == .max)
    }

    @Test func `this machine has some`() {
        #expect(memoryLimit() > 64 << 20)
    }
}
