import System

/// What to say if the file that RENGA_DATABASE names is not there: a trial keeps its jobs in another one.
struct MissingDatabase {
    private let path: String
    private let command: String
    private let isNamed: Bool

    /// Nil if the file is there.
    init?(_ path: String, _ invocation: Invocation) {
        guard !fileExists(path) else { return nil }
        self.path = path
        command = invocation.shellLine
        isNamed = invocation.isFlagged(Settings.database)
    }

    /// The command for the database of a trial, if there is one and the file was not named by a flag.
    var trial: String? {
        let demo = SQLiteDatabase.trialPath(path)
        guard !isNamed, fileExists(demo) else { return nil }
        return "\(command) --database \(Shell.quoted(demo))"
    }

    /// The command for the file that is not there.
    var named: String { "\(command) --database \(Shell.quoted(path))" }

    var text: String {
        let start = "RENGA_DATABASE is “\(path)”, which does not exist"
        guard let trial else { return "\(start): name the database with --database PATH" }
        return "\(start). A trial keeps its jobs in \(SQLiteDatabase.trialPath(path)):\n  \(trial)"
    }
}
