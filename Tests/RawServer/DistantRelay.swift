import Glibc

extension Peer {
    /// Passes bytes between the client and a server of loopback as if they were apart: each comes out so long after it went in.
    ///
    /// What comes meanwhile waits for its own time only. Ends when one of them closes.
    package func relay(to port: Int, microsecondsEachWay delay: Int) {
        guard let server = connectedSocket(port) else { return }
        defer { close(server) }
        for end in [descriptor, server] { sendAtOnce(end) }
        var ways = [
            DelayedWay(from: descriptor, to: server), DelayedWay(from: server, to: descriptor),
        ]
        while true {
            guard let readable = waitToRead(ways.map(\.from), until: ways.compactMap { $0.due }.min()) else {
                return
            }
            for index in ways.indices {
                if readable.contains(ways[index].from), !ways[index].take(Int64(delay) * 1_000) { return }
                guard ways[index].passOn() else { return }
            }
        }
    }
}

/// Which of them can be read, once one can be or the time has come; nil if it cannot wait.
///
/// `poll` counts milliseconds, this microseconds.
private func waitToRead(_ descriptors: [Int32], until due: Int64?) -> [Int32]? {
    guard descriptors.allSatisfy({ 0..<Int32(FD_SETSIZE) ~= $0 }), let last = descriptors.max() else {
        return nil
    }
    var set = fd_set()
    withUnsafeMutableBytes(of: &set) { bits in
        for descriptor in descriptors { bits[Int(descriptor) / 8] |= 1 << (descriptor % 8) }
    }
    let rest = due.map { max(0, ($0 - nanoseconds() - timerSlack) / 1_000) }
    var time = timeval(tv_sec: 0, tv_usec: Int(rest ?? 0))
    guard
        withUnsafeMutablePointer(to: &time, { select(last + 1, &set, nil, nil, rest == nil ? nil : $0) }) >= 0
    else { return nil }
    return withUnsafeBytes(of: &set) { bits in
        descriptors.filter { bits[Int($0) / 8] & (1 << ($0 % 8)) != 0 }
    }
}

/// The kernel wakes a thread up to so many nanoseconds later than it asks.
private let timerSlack: Int64 = 50_000

/// One direction, with what is under way in it.
private struct DelayedWay {
    let from: Int32
    let to: Int32
    private var underWay: [(due: Int64, bytes: [UInt8])] = []

    init(from: Int32, to: Int32) {
        (self.from, self.to) = (from, to)
    }

    /// When the next bytes come out.
    var due: Int64? { underWay.first?.due }

    /// False if the sender has closed.
    mutating func take(_ delay: Int64) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(from, &chunk, chunk.count)
        guard count > 0 else { return false }
        underWay.append((nanoseconds() + delay, Array(chunk[..<count])))
        return true
    }

    /// False if the receiver has closed.
    mutating func passOn() -> Bool {
        while let next = underWay.first, next.due <= nanoseconds() + timerSlack / 2 {
            underWay.removeFirst()
            var sent = 0
            while sent < next.bytes.count {
                let count = next.bytes[sent...].withUnsafeBytes { write(to, $0.baseAddress, $0.count) }
                guard count > 0 else { return false }
                sent += count
            }
        }
        return true
    }
}

private func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Small packets wait for none that come after them.
private func sendAtOnce(_ descriptor: Int32) {
    var isOn: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
}
