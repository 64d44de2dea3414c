import Synchronization
import System
import Telemetry

/// The terminal's two streams: standard output for results, standard error for notes about them.
enum Console {
    /// Thrown when standard output has no reader any more: there is nothing left to do.
    struct Closed: Error {}

    /// Prints lines, with control characters escaped, as texts of others must not steer the terminal.
    static func print(_ text: String, paint: Paint = Paint(isOn: false)) throws {
        try send(Array((paint.painted(TerminalText.escaped(text, keepingLines: true)) + "\n").utf8))
    }

    /// Prints tables and paragraphs, on a terminal broken at its width.
    static func print(page: String, paint: Paint = Paint(isOn: false)) throws {
        try print(Wrapping.ofTerminal?.text(page) ?? page, paint: paint)
    }

    /// Draws a page over the one that was drawn before.
    static func draw(_ page: String, on screen: WatchScreen) throws {
        try send(Array((screen.drawn(TerminalText.escaped(page, keepingLines: true)) + "\n").utf8))
    }

    /// Writes JSON as it is; on a terminal control characters are escaped as JSON does.
    static func write(_ json: [UInt8]) throws {
        guard isTerminal(1) else { return try send(json) }
        let whole = cut.withLock { cut in
            var bytes = cut + json
            cut = Array(bytes.suffix(bytes.unfinished))
            bytes.removeLast(cut.count)
            return bytes
        }
        try send(Array(TerminalText.escaped(json: String(decoding: whole, as: UTF8.self)).utf8))
    }

    /// The first bytes of a letter whose last ones are still to come.
    private static let cut = Mutex<[UInt8]>([])

    private static func send(_ bytes: [UInt8]) throws {
        do {
            try writeAll(1, bytes)
        } catch {
            if error.isBrokenPipe { throw Closed() }
            throw Failure("standard output: \(error)")
        }
    }

    /// Writes to standard error; if that is closed there is no reader to inform.
    static func note(_ text: String) {
        try? writeAll(2, Array((TerminalText.escaped(text, keepingLines: true) + "\n").utf8))
    }
}

extension [UInt8] {
    /// How many bytes at the end begin a letter of UTF-8 that is not whole.
    fileprivate var unfinished: Int {
        for length in 1...3 where length <= count {
            let byte = self[count - length]
            if byte & 0xC0 == 0x80 { continue }
            let wanted = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return wanted > length ? length : 0
        }
        return 0
    }
}
