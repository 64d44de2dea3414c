package import Jobs
package import SQLite

/// What only a store in a file needs to know.
package struct SQLiteOptions: Sendable {
    /// Connections for reading, each with a thread of its own.
    package var readers: Int
    /// Answers that are found through memory, before they are filed in the index: with more of them a page of it that is
    /// written takes in more, and each connection that claims keeps 60 bytes for each.
    package var recentAnswers: Int
    /// Who may read and write files that are made; the umask takes its part away.
    package var fileMode: UInt32
    /// How long a calendar that differs from the agreed one must be claimed without contradiction before it counts; 0 has
    /// each process go by its own.
    package var calendarPatience: Milliseconds
    /// Receives a reader that keeps the log from starting afresh, as long as it does; must not block.
    package var onLongReader: @Sendable (LongReader) -> Void

    package init(
        readers: Int = 2, recentAnswers: Int = 32_768, fileMode: UInt32 = DatabaseFile.standardMode,
        calendarPatience: Milliseconds = 0, onLongReader: @escaping @Sendable (LongReader) -> Void = { _ in }
    ) {
        self.readers = readers
        self.recentAnswers = recentAnswers
        self.fileMode = fileMode
        self.calendarPatience = calendarPatience
        self.onLongReader = onLongReader
    }
}
