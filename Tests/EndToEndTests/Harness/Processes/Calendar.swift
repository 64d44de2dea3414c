import Glibc
import Synchronization
import System
import TestSupport

/// A calendar turned by hand, for real processes: their clocks of the boot run on.
final class Calendar: Sendable {
    private let path: String
    private let milliseconds: Mutex<Int64>

    /// Begins at that time, in milliseconds UTC.
    init(in folder: String, named name: String = "calendar", at start: Int64) throws {
        path = "\(folder)/\(name)"
        milliseconds = Mutex(start)
        try writeTestFile(path: path, bytes: [])
        try show(start)
    }

    /// What a process is told so that it goes by this calendar, however it jumps.
    var variables: [String: String] {
        let folder = Binary.testFolder
        return [
            "LD_PRELOAD": folder + "/libFakeCalendar.so", "FAKE_CALENDAR": path,
            "RENGA_CALENDAR_PATIENCE": "0",
        ]
    }

    var now: Int64 { milliseconds.withLock { $0 } }

    func advance(by step: Int64) throws {
        try show(
            milliseconds.withLock { milliseconds in
                milliseconds += step
                return milliseconds
            })
    }

    private func show(_ time: Int64) throws {
        let moment = timespec(tv_sec: Int(time / 1000), tv_nsec: Int(time % 1000) * 1_000_000)
        let result = withUnsafeTemporaryAllocation(of: timespec.self, capacity: 2) { times in
            times.initialize(repeating: moment)
            return utimensat(AT_FDCWD, path, times.baseAddress, 0)
        }
        try demand(result == 0, "the calendar cannot be turned: \(String(cString: strerror(errno)))")
    }
}
