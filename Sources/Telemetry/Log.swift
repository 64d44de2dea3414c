/// Where log lines go: one call, one line, one write.
///
/// Messages are constant; everything variable is a field, so that lines can be searched and counted.
package struct Log: Sendable {
    /// Ordered from what only a developer needs to what an operator must act on.
    package enum Level: Int, Sendable, CaseIterable, Comparable {
        case debug, info, notice, warning, error

        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        /// Reads the lowercase name.
        package init?(name: String) {
            guard let level = Level.allCases.first(where: { $0.name == name }) else { return nil }
            self = level
        }

        package var name: String { "\(self)" }
    }

    package enum Format: Sendable {
        /// For programs: one object a line.
        case json
        /// For a person at a terminal: the time of day in UTC, and control characters made harmless.
        case human
    }

    /// In the order in which they are written; of two with one name the last counts.
    package typealias Fields = KeyValuePairs<String, LogValue>

    package let level: Level
    private let format: Format
    private let now: @Sendable () -> Int64
    private let sink: @Sendable ([UInt8]) -> Void
    private var inherited: [LogField] = []

    /// `now` gives milliseconds since 1970 in UTC; `sink` gets whole lines with their line feed and must write each
    /// in one piece, from any thread.
    package init(
        level: Level = .info, format: Format = .json, now: @escaping @Sendable () -> Int64,
        sink: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.level = level
        self.format = format
        self.now = now
        self.sink = sink
    }

    /// Says nothing to anybody: for tests, and for parts that run on their own.
    package static let silent = Log(level: .error, now: { 0 }, sink: { _ in })

    /// A log whose every line carries these fields, after those it carries already.
    package func with(_ fields: Fields) -> Log {
        var child = self
        child.inherited = inherited.merging(fields)
        return child
    }

    /// What only a developer wants to know.
    package func debug(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        write(.debug, message, fields)
    }

    /// What an operator may want to know; rare, never once a job.
    package func info(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        write(.info, message, fields)
    }

    /// What an operator should know, though nothing is wrong.
    package func notice(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        write(.notice, message, fields)
    }

    /// What failed and recovered by itself, or will fail soon.
    package func warning(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        write(.warning, message, fields)
    }

    /// What an operator must act on.
    package func error(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        write(.error, message, fields)
    }

    /// Writes at a level that is known only when running; fields are not made for lines that are not written.
    package func write(_ level: Level, _ message: StaticString, _ fields: () -> Fields) {
        guard level >= self.level else { return }
        let line = LogLine(
            time: now(), level: level, message: "\(message)", fields: inherited.merging(fields()))
        sink(format == .json ? line.json() : line.human())
    }
}
