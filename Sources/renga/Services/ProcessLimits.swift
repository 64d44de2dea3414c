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
                files may have at most \(Text.bytes(limit)) (ulimit -f), and the database with its log needs \
                \(Text.bytes(needed)): allow more with `ulimit -f unlimited`
                """)
        }
    }

    static func checkFiles() throws {
        let files = raiseFileLimit()
        guard files >= leastFiles else {
            throw Failure(
                """
                at most \(files) files may be open (ulimit -n), and renga needs \(leastFiles): allow more with \
                `ulimit -n 4096`, for a container with `docker run --ulimit nofile=4096:4096`
                """)
        }
    }
}
