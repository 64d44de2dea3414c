import RawServer

/// Messages of PostgreSQL's protocol (https://www.postgresql.org/docs/current/protocol-message-formats.html).
enum HostileWire {
    static func message(_ type: Character, _ body: [UInt8] = [], length: Int32? = nil) -> [UInt8] {
        [type.asciiValue ?? 0] + bytes(length ?? Int32(body.count + 4)) + body
    }

    static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    private static func setting(_ name: String, _ value: String) -> [UInt8] {
        message("S", Array("\(name)\0\(value)\0".utf8))
    }

    static let ready = message("Z", [UInt8(ascii: "I")])

    static let welcome = joined(
        message("R", [0, 0, 0, 0]), setting("server_version", "15.0"), setting("in_hot_standby", "off"),
        setting("default_transaction_read_only", "off"), setting("client_encoding", "UTF8"),
        message("K", [0, 0, 0, 1, 0, 0, 0, 2]), ready)

    private static func joined(_ parts: [UInt8]...) -> [UInt8] { Array(parts.joined()) }

    /// Columns as type and format.
    static func columns(_ types: [(UInt32, Int16)], count: Int16? = nil) -> [UInt8] {
        let fields = types.flatMap { type, format in
            joined(
                Array("c\0".utf8), bytes(Int32(0)), bytes(Int16(0)), bytes(type), bytes(Int16(8)),
                bytes(Int32(-1)),
                bytes(format))
        }
        return message("T", bytes(count ?? Int16(types.count)) + fields)
    }

    static let columns = columns([(20, 1)])
    static let number = bytes(Int64(1))

    static func row(_ values: [[UInt8]]) -> [UInt8] {
        message("D", bytes(Int16(values.count)) + values.flatMap { bytes(Int32($0.count)) + $0 })
    }

    private static let done = message("C", Array("SELECT 1\0".utf8)) + ready

    /// To one statement that is not kept.
    static func answer(_ row: [UInt8], _ columns: [UInt8] = columns) -> [UInt8] {
        joined(message("1"), message("2"), columns, row, done)
    }

    /// To what a connection asks first.
    static let greeting = joined(
        answer(row([Array("PostgreSQL 15.0".utf8)]), columns([(25, 1)])),
        answer(row([[0], Array("warning".utf8)]), columns([(16, 1), (25, 1)])),
        answer(row([number])))

    static let begun = joined(message("1"), message("2"))

    static let wrongAnswers: [(String, [UInt8])] = [
        ("nothing", []),
        ("only an end", ready),
        ("ends without answers", joined(ready, ready, ready, ready)),
        ("a number of three bytes", answer(row([[1, 2, 3]]))),
        ("a number as text", answer(row([[49]]), columns([(20, 0)]))),
        ("another type", answer(row([number]), columns([(701, 1)]))),
        ("more values than columns", answer(row([number, number]))),
        ("fewer values than columns", answer(row([]))),
        ("no columns", answer(row([]), columns([]))),
        ("a negative count of columns", answer(row([number]), columns([(20, 1)], count: -1))),
        ("more columns than there are", answer(row([number]), columns([(20, 1)], count: 30_000))),
        ("a negative length of a value", answer(message("D", bytes(Int16(1)) + bytes(Int32(-7)) + number))),
        (
            "a value longer than its message",
            answer(message("D", bytes(Int16(1)) + bytes(Int32(1 << 30)) + number))
        ),
        ("a message of negative length", joined(begun, columns, message("D", number, length: -1))),
        ("a message of no length", joined(begun, columns, message("D", number, length: 0))),
        ("a message of a gigabyte", joined(begun, columns, message("D", number, length: 1 << 30))),
        ("a row before its columns", joined(begun, row([number]), done)),
        ("two answers", joined(begun, columns, row([number]), message("C", Array("SELECT 1\0".utf8)), done)),
        ("a copy out", joined(begun, message("H", [0] + bytes(Int16(0))), ready)),
        ("a copy in", joined(begun, message("G", [0] + bytes(Int16(0))), ready)),
        ("an error without fields", joined(message("E", [0]), ready)),
        ("an error that does not end", joined(message("E", Array("SERROR".utf8)), ready)),
        ("another authentication", message("R", [0, 0, 0, 5, 1, 2, 3, 4])),
        ("an unknown message", message("!", [1, 2, 3])),
        ("a notification that does not end", message("A", bytes(Int32(1)) + Array("channel".utf8))),
    ]
}

extension Peer {
    /// Reads messages up to so many marks (Sync), each the end of a batch.
    func takeMarks(_ count: Int) {
        var (bytes, marks) = ([UInt8](), 0)
        while marks < count {
            let more = take()
            if more.isEmpty { return }
            bytes += more
            while bytes.count >= 5 {
                let length = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) } + 1
                guard length <= bytes.count else { break }
                if bytes[0] == UInt8(ascii: "S") { marks += 1 }
                bytes.removeFirst(length)
            }
        }
    }
}
