import JSON

/// One line before it is written, and its two forms.
struct LogLine {
    let time: Int64
    let level: Log.Level
    let message: String
    let fields: [LogField]

    /// A field cannot take these names: a reader would see the key twice.
    private static let reserved: Set<String> = ["time", "level", "message"]

    func json() -> [UInt8] {
        var line = JSONWriter()
        line.object { line in
            line.field("time", rfc3339(time))
            line.field("level", level.name)
            line.field("message", message)
            for (name, value) in fields {
                line.key(Self.reserved.contains(name) ? name + "_" : name)
                line.value(value)
            }
        }
        line.newline()
        return line.bytes
    }

    /// Like this: `12:00:01 INFO  job settled  job_id=job_01 attempt=1`.
    func human() -> [UInt8] {
        let level = level.name.uppercased()
        let padding = String(repeating: " ", count: max(0, 5 - level.count))
        let fields = fields.map { "\($0.name)=\($0.value.readable)" }.joined(separator: " ")
        let line = "\(rfc3339(time).dropFirst(11).prefix(8)) \(level)\(padding) \(message)"
        return Array((fields.isEmpty ? line + "\n" : "\(line)  \(fields)\n").utf8)
    }
}

extension JSONWriter {
    fileprivate mutating func value(_ value: LogValue) {
        switch value {
        case .string(let text): string(text)
        case .int(let number): int(number)
        case .double(let number): double(number)
        case .bool(let truth): bool(truth)
        }
    }
}

extension LogValue {
    /// Plain if that is clear, else in quotes.
    fileprivate var readable: String {
        switch self {
        case .string(let text): text.isPlain ? text : quoted(text)
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .bool(let truth): "\(truth)"
        }
    }
}

extension String {
    fileprivate var isPlain: Bool {
        !isEmpty
            && unicodeScalars.allSatisfy { scalar in
                !scalar.properties.isWhitespace && !scalar.steersTerminals
                    && !"\"=\\".unicodeScalars.contains(scalar)
            }
    }
}

private func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    return "\"\(TerminalText.escaped(escaped))\""
}
