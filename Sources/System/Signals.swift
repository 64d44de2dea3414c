import Glibc

/// Signals as values to wait for, instead of interruptions.
package enum Signals {
    /// What asks a process to end: SIGTERM, and SIGINT from a terminal.
    package static let endings = [SIGTERM, SIGINT]
    /// Ctrl-C on a terminal.
    package static let interrupts = [SIGINT]

    /// Yields each of the signals as it comes, in place of what it would do to the process, which stays so.
    ///
    /// From the moment this returns no signal is missed. Also ignores SIGPIPE and SIGXFSZ from here on: a write to a closed
    /// pipe or socket, or beyond the largest file allowed, then fails with EPIPE or EFBIG, as it should.
    package static func stream(_ signals: [Int32]) -> AsyncStream<Int32> {
        signal(SIGPIPE, SIG_IGN)
        // A limit on file sizes then fails with EFBIG, and does not end the process.
        signal(SIGXFSZ, SIG_IGN)
        let (stream, continuation) = AsyncStream.makeStream(
            of: Int32.self, bufferingPolicy: .bufferingNewest(16))
        SignalRelay.shared.subscribe(continuation, to: signals)
        return stream
    }
}
