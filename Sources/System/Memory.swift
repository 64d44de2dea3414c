import Glibc

/// Bytes of RAM that this process may use: what its control groups allow, of either version, or what the machine has.
///
/// `root` is where /proc and /sys are.
package func memoryLimit(root: String = "") -> Int {
    let machine = number(in: "\(root)/proc/meminfo", after: "MemTotal:").map { $0 &* 1024 }
    let groups = text("\(root)/proc/self/cgroup").split(separator: "\n").flatMap { line -> [Int] in
        let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3 else { return [] }
        let path = String(fields[2])
        if fields[1].isEmpty { return limits(of: path, in: "\(root)/sys/fs/cgroup", "memory.max") }
        guard fields[1].split(separator: ",").contains("memory") else { return [] }
        return limits(of: path, in: "\(root)/sys/fs/cgroup/memory", "memory.limit_in_bytes")
    }
    return (groups + [machine].compactMap { $0 }).min() ?? Int.max
}

/// Of the group and all above it; inside a container the path may be one of the outside, and the group is at the root.
private func limits(of path: String, in folder: String, _ name: String) -> [Int] {
    let parts = path.split(separator: "/")
    return (0...parts.count).compactMap { count in
        let group = parts.prefix(count).map { "/" + $0 }.joined()
        // “max” is no number.
        return Int(text("\(folder)\(group)/\(name)").prefix { $0 != "\n" })
    }.filter { $0 > 0 }
}

private func number(in path: String, after title: String) -> Int? {
    text(path).split(separator: "\n").first { $0.hasPrefix(title) }
        .flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) }
}

/// Nothing if it cannot be read: the other version's files, say.
private func text(_ path: String) -> String {
    String(decoding: (try? readFile(path, limit: 65_536)) ?? [], as: UTF8.self)
}
