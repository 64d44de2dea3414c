import Testing

/// Something a file may not do, and what to do instead.
struct Rule: Sendable, CustomTestStringConvertible {
    let name: String
    let offences: @Sendable (SourceFile) -> [Offence]

    var testDescription: String { name }

    init(_ name: String, offences: @escaping @Sendable (SourceFile) -> [Offence]) {
        self.name = name
        self.offences = offences
    }

    /// A rule that looks at one line of code at a time; `advice` gives nil where the line is as it should be.
    init(_ name: String, line advice: @escaping @Sendable (_ code: String, _ file: SourceFile) -> String?) {
        self.init(name) { file in
            file.code.enumerated().compactMap { index, code in
                advice(code, file).map { Offence(path: file.path, line: index + 1, advice: $0) }
            }
        }
    }
}

struct Offence: Sendable, Hashable, CustomStringConvertible {
    let path: String
    let line: Int
    let advice: String

    var description: String { "\(path):\(line): \(advice)" }
}
