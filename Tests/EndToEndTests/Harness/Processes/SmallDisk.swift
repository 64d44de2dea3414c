import Glibc
import Synchronization
import System

/// A file system in memory with little room, seen only by processes that are started in it.
///
/// It is mounted in a namespace of its own, for which nobody need be root where the kernel lets users have one.
struct SmallDisk {
    private static let unshare = ["/usr/bin/unshare", "--user", "--map-root-user", "--mount"]
    private static let mount = #"mount -t tmpfs -o size=16m none "$0" && exec "$@""#

    /// How processes see it.
    let path: String
    private let holder: Child

    init(_ scenario: Scenario) async throws {
        path = scenario.folder.path + "/small"
        guard mkdir(path, 0o700) == 0 else { throw Disappointment("cannot make \(path)") }
        holder = try Self.hold(path, outputs: scenario.folder.outputs)
        scenario.children.withLock { [holder] in $0.append(holder) }
        try await eventually("the small disk is mounted") { [self] in
            try demand(holder.isRunning, holder.epitaph)
            return try diskSize() == 16 << 20
        }
    }

    /// What a process must be started through to see it.
    var wrapper: [String] {
        ["/usr/bin/nsenter", "--target", "\(holder.pid)", "--user", "--mount", "--preserve-credentials"]
    }

    /// How this process sees it.
    var outside: String { "/proc/\(holder.pid)/root\(path)" }

    /// Leaves not a byte.
    func fill() throws {
        let file = open(outside + "/filler", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Disappointment("cannot fill the disk: errno \(errno)") }
        defer { close(file) }
        let block = [UInt8](repeating: 7, count: 4096)
        while write(file, block, block.count) > 0 {}
        try demand(errno == ENOSPC, "the disk was not filled: errno \(errno)")
    }

    func empty() throws {
        try demand(unlink(outside + "/filler") == 0, "cannot remove the filler: errno \(errno)")
    }

    private func diskSize() throws -> Int {
        var facts = statvfs()
        guard statvfs(outside, &facts) == 0 else { return 0 }
        return Int(facts.f_blocks) * Int(facts.f_frsize)
    }

    private static func hold(_ path: String, outputs: String) throws -> Child {
        let command = unshare + ["/bin/sh", "-c", mount, path, "/bin/sleep", "600"]
        return try Child(
            Launch(
                name: "small-disk", program: command[0], arguments: Array(command.dropFirst()),
                environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], folder: "/", outputs: outputs))
    }

    /// Whether this machine lets us mount one; many containers do not.
    static func isPossible() async -> Bool {
        guard access(unshare[0], X_OK) == 0, access("/usr/bin/nsenter", X_OK) == 0,
            let folder = try? TemporaryFolder()
        else { return false }
        defer { folder.remove() }
        let command = unshare + ["/bin/sh", "-c", mount, folder.path, "/bin/true"]
        let launch = Launch(
            name: "trial", program: command[0], arguments: Array(command.dropFirst()),
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], folder: "/", outputs: folder.outputs)
        guard let child = try? Child(launch) else { return false }
        return await child.exit(within: .seconds(10)) == .status(0)
    }
}
