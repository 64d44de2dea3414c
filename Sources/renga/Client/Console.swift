import System

/// Where people read: standard output for what was asked for, standard error for what is said about it.
enum Console {
    /// Thrown when nobody reads standard output any more: there is nothing left to do.
    struct Closed: Error {}

    static func print(_ text: String) throws {
        try write(Array((text + "\n").utf8))
    }

    /// Writes bytes as they are.
    static func write(_ bytes: [UInt8]) throws {
        do {
            try writeAll(1, bytes)
        } catch {
            if error.isBrokenPipe { throw Closed() }
            throw Failure("standard output: \(error)")
        }
    }

    /// Says something on standard error; where that is closed there is nobody to tell.
    static func note(_ text: String) {
        try? writeAll(2, Array((text + "\n").utf8))
    }
}
