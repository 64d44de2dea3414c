import Glibc

/// This process's number, unique on the machine while it lives.
package var processID: Int32 { getpid() }

/// The machine's name, `localhost` if it has none.
package func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    let status = gethostname(&name, name.count - 1)
    let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return status == 0 && !text.isEmpty ? text : "localhost"
}

/// Ends the process at once: nothing else of it runs any more.
package func exitProcess(_ status: Int32) -> Never { _exit(status) }

/// Nil if the variable is not set; empty if it is set to nothing.
package func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

/// Allows as many open files as the system lets this process have, and returns how many those are.
@discardableResult
package func raiseFileLimit() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
    let before = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    let isRaised = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    return Int(clamping: isRaised ? limit.rlim_cur : before)
}

/// The largest file that this process may write (`ulimit -f`).
package func fileSizeLimit() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { return .max }
    return Int(clamping: limit.rlim_cur)
}

/// Processor time of all threads since the start, in user and system mode.
package func processCPUSeconds() -> Double {
    var usage = rusage()
    guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
    let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
    return Double(seconds) + Double(microseconds) / 1e6
}
