import Glibc

/// What the system refused, with its own words for why.
package struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The errno; 0 if a limit of ours was met.
    package let code: Int32

    /// Ready for a person: names the path, never its content.
    package let message: String

    /// The reader of what is written has gone (EPIPE).
    package var isBrokenPipe: Bool { code == EPIPE }

    package var description: String { message }

    package init(code: Int32 = 0, message: String) {
        self.code = code
        self.message = message
    }

    /// Reads errno, so it must be made right after the call that failed.
    init(_ doing: String, code: Int32 = errno) {
        self.init(code: code, message: "cannot \(doing): \(String(cString: strerror(code)))")
    }
}
