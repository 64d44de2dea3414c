import Glibc

/// An open file that closes itself, unless it was only lent.
struct FileDescriptor: ~Copyable {
    let number: Int32
    private let isOwned: Bool

    init(lent number: Int32) {
        self.number = number
        isOwned = false
    }

    init(reading path: String) throws(SystemError) {
        number = open(path, O_RDONLY | O_CLOEXEC)
        isOwned = true
        if number < 0 { throw SystemError("open \(path)") }
    }

    /// Of something that exists.
    init(writing path: String) throws(SystemError) {
        number = open(path, O_WRONLY | O_CLOEXEC)
        isOwned = true
        if number < 0 { throw SystemError("open \(path)") }
    }

    /// Throws if the file exists already.
    init(creating path: String, mode: mode_t) throws(SystemError) {
        number = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        isOwned = true
        if number < 0 { throw SystemError("create \(path)") }
    }

    deinit {
        if isOwned, number >= 0 { close(number) }
    }

    /// Empty at the end of the file; waits if a non-blocking descriptor has nothing yet.
    func read(upTo limit: Int) throws(SystemError) -> [UInt8] {
        while true {
            var status = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
                status = Glibc.read(number, buffer.baseAddress, limit)
                count = max(0, status)
            }
            if status >= 0 { return bytes }
            if errno == EAGAIN {
                var waiting = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
                poll(&waiting, 1, -1)
            } else if errno != EINTR {
                throw SystemError("read")
            }
        }
    }
}
