import System

/// What the system must let a process have before it is worth a start: with less it would fail later, and without a word.
enum ProcessLimits {
    /// Threads, connections and files of an idle server take some sixty.
    static let leastFiles = 128
    /// The log alone grows to 40 MB and more.
    private static let leastFileSize = 128 << 20

    static func check(database path: String) throws {
        try checkFiles()
        let limit = fileSizeLimit()
        let needed = max(leastFileSize, (fileSize(path) ?? 0) + (64 << 20))
        guard limit >= needed else {
            throw Failure(
                """
                the limit of file size is \(Text.bytes(limit)) (ulimit -f), and the database with its log needs \
                \(Text.bytes(needed)): run `ulimit -f unlimited`
                """)
        }
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
