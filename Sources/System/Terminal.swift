import Glibc

/// Whether a person reads what is written to the descriptor.
package func isTerminal(_ fd: Int32) -> Bool {
    isatty(fd) == 1
}

/// Lines of the terminal behind a descriptor; nil if there is none or its size is unknown.
package func terminalHeight(_ fd: Int32 = 1) -> Int? {
    var size = winsize()
    guard ioctl(fd, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
    return Int(size.ws_row)
}

/// Columns of the terminal behind a descriptor; nil if there is none or its size is unknown.
package func terminalWidth(_ fd: Int32 = 2) -> Int? {
    var size = winsize()
    guard ioctl(fd, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
}
