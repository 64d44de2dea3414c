import Glibc

/// Milliseconds of a clock that is never set and stands still while the machine is suspended; only differences mean anything.
package func monotonicMilliseconds() -> Int64 { milliseconds(CLOCK_MONOTONIC) }

private func milliseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
}

/// The machine's two clocks.
package struct SystemClock: Sendable {
    /// Tells boots apart: uptimes compare only if it is the same, and it is until the machine restarts.
    package let bootID: Int64

    package init() {
        bootID = Self.readBootID()
    }

    /// Calendar time since 1970 in UTC; may jump when the clock is set.
    package func timestampMilliseconds() -> Int64 { milliseconds(CLOCK_REALTIME) }

    /// Time since boot, suspended time included; never jumps.
    package func uptimeMilliseconds() -> Int64 { milliseconds(CLOCK_BOOTTIME) }

    /// The first 8 bytes of the kernel's random id; if /proc is missing, the second of the boot.
    private static func readBootID() -> Int64 {
        let text = (try? readFile("/proc/sys/kernel/random/boot_id", limit: 256)) ?? []
        let digits = text.filter { $0 != UInt8(ascii: "-") }.prefix(16)
        if digits.count == 16, let id = UInt64(String(decoding: digits, as: UTF8.self), radix: 16) {
            return Int64(bitPattern: id)
        }
        return (milliseconds(CLOCK_REALTIME) - milliseconds(CLOCK_BOOTTIME)) / 1_000
    }
}
