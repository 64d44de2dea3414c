import JSON

/// Files that `enqueue` cannot read, known by their first bytes: reported once, with the command that converts them.
enum InputForm {
    /// Throws for the first line that has something on it, if it gives such a file away.
    static func check(first line: [UInt8], of file: String, isText: Bool) throws {
        if let encoding = wideEncoding(line) {
            throw Failure(
                "\(name(file)) is \(encoding), and renga reads UTF-8. Convert it: \(conversion(from: encoding, file))"
            )
        }
        for (mark, kind, command) in packed where line.starts(with: mark) {
            throw Failure("\(name(file)) is compressed with \(kind). Unpack it: \(piped(command, file))")
        }
        guard !isText else { return }
        let start = line.drop { [0xEF, 0xBB, 0xBF, 0x20, 0x09].contains($0) }
        switch start.first {
        case UInt8(ascii: "["):
            throw Failure(
                "\(name(file)) is one JSON array, and renga reads one job a line. Convert it: \(piped("jq -c '.[]'", file))"
            )
        case UInt8(ascii: "{") where start.count == 1 || start.dropFirst().allSatisfy(isSpace):
            throw Failure(
                "\(name(file)) has JSON over several lines, and renga reads one job a line. Convert it: \(piped("jq -c .", file))"
            )
        case UInt8(ascii: "{"):
            for list in ["requests", "jobs"] where holds(list, start) {
                throw Failure(
                    "\(name(file)) is one JSON object with a list of \(list), and renga reads one job a line. Convert it: \(piped("jq -c '.\(list)[]'", file))"
                )
            }
        default: return
        }
    }

    private static let packed: [([UInt8], String, String)] = [
        ([0x1F, 0x8B], "gzip", "gunzip -c"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd", "zstd -dc"),
        ([0x50, 0x4B, 0x03, 0x04], "zip", "unzip -p"),
    ]

    private static func holds(_ list: String, _ line: ArraySlice<UInt8>) -> Bool {
        guard let object = try? JSON.parse(Array(line), maxDepth: JSON.deepest) else { return false }
        return object[list]?.kind == .array
    }

    /// Throws for a line that is no UTF-8.
    static func check(_ line: [UInt8], number: Int, of file: String) throws {
        guard String(validating: line, as: UTF8.self) == nil else { return }
        let place = firstBad(line)
        throw Failure(
            "\(name(file)) is not UTF-8: line \(number) has the byte 0x\(hex(line[place])) at column \(column(place, line)), as Latin-1 and Windows-1252 have for letters like é. Convert it: \(conversion(from: "WINDOWS-1252", file))"
        )
    }

    /// By its mark, or by the zero that every second byte of plain letters is.
    private static func wideEncoding(_ line: [UInt8]) -> String? {
        if line.starts(with: [0xFF, 0xFE]) { return "UTF-16LE" }
        if line.starts(with: [0xFE, 0xFF]) { return "UTF-16BE" }
        guard line.count >= 4 else { return nil }
        if line[0] != 0, line[1] == 0, line[2] != 0, line[3] == 0 { return "UTF-16LE" }
        return line[0] == 0 && line[1] != 0 && line[2] == 0 && line[3] != 0 ? "UTF-16BE" : nil
    }

    private static func conversion(from encoding: String, _ file: String) -> String {
        // iconv keeps a byte order mark that it does not expect.
        let source = encoding.hasPrefix("UTF-16") ? "UTF-16" : encoding
        return piped("iconv -f \(source) -t UTF-8", file)
    }

    private static func piped(_ command: String, _ file: String) -> String {
        file == "-"
            ? "… | \(command) | renga enqueue -" : "\(command) \(Shell.quoted(file)) | renga enqueue -"
    }

    private static func name(_ file: String) -> String { file == "-" ? "standard input" : file }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    /// The first byte that belongs to no letter.
    private static func firstBad(_ line: [UInt8]) -> Int {
        var parser = Unicode.UTF8.ForwardParser()
        var bytes = line.makeIterator()
        var place = 0
        while case .valid(let letter) = parser.parseScalar(from: &bytes) { place += letter.count }
        return min(place, line.count - 1)
    }

    private static func column(_ place: Int, _ line: [UInt8]) -> Int {
        line[..<place].reduce(1) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count == 1 ? "0" + digits : digits
    }
}

/// Words as a shell reads them.
enum Shell {
    /// In quotes if it needs them.
    static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "+")...UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "="),
                UInt8(ascii: "@"):
                // From + to : are + , - . / 0…9 :
                true
            default: false
            }
        }
        guard word.isEmpty || !isPlain else { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
            + "'"
    }
}
