import Glibc
import System
import TestSupport
import Testing

struct ChildReaperTests {
    @Test(.enabled("the system has no setpriv") { !ChildReaper.command.isEmpty })
    func `A test run that is killed takes its children with it`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let child = try Child(
                Launch(
                    name: "child", program: "/bin/sleep", arguments: ["600"], environment: [:], folder: path,
                    outputs: path))
            try writeTestFile(path: path + "/pid", bytes: Array("\(child.pid)".utf8))
            kill(getpid(), SIGKILL)
        }
        let pid = try #require(Int32(String(decoding: try readFile(path + "/pid", limit: 20), as: UTF8.self)))
        try await eventually("the child is gone") { isGone(pid) }
    }

    /// Nobody may be there to wait for it.
    private func isGone(_ pid: Int32) -> Bool {
        guard let stat = try? readFile("/proc/\(pid)/stat", limit: 1_000) else { return true }
        return String(decoding: stat, as: UTF8.self).contains(") Z ")
    }
}
