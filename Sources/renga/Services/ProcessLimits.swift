import System

/// What the system must let a process have before it is worth a start: with less it would fail later, and without a word.
enum ProcessLimits {
    /// Threads, connections and files of an idle server take some sixty.
    static let leastFiles = 128

    static func check(for database: any Database) throws {
        try checkFiles()
        try database.checkLimits()
    }

    static func checkFiles() throws {
        let files = raiseFileLimit()
        guard files >= leastFiles else {
            throw Failure(
                """
                the limit of open files is \(files) (ulimit -n), and renga needs \(leastFiles): run `ulimit -n 4096`, \
                or for a container `docker run --ulimit nofile=4096:4096`
                """)
        }
    }
}
