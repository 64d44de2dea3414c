import SQLite

/// A process that writes a row now and then while others keep the database busy.
///
/// Answers with `worst MILLISECONDS WRITES`: the longest that it waited for the write lock.
struct BystanderHelper {
    private let path: String

    init(_ words: [String]) throws {
        guard words.count == 2 else { throw BenchmarkError("bystander wants a path") }
        path = words[1]
    }

    func run() async throws {
        let writer = try Writer(path: path)
        try await writer.write { try $0.execute("CREATE TABLE bystander (id INTEGER PRIMARY KEY) STRICT") }
        Helper.report("ready")
        let writing = Task {
            var writes = 0
            while !Task.isCancelled {
                try await writer.write { try $0.run("INSERT INTO bystander (id) VALUES (NULL)") }
                writes += 1
                // It ends by the cancellation.
                try? await Task.sleep(for: .milliseconds(5))
            }
            return writes
        }
        Helper.waitForWord()
        writing.cancel()
        let writes = try await writing.value
        Helper.report("worst \(writer.statistics.longestLockWaitSeconds * 1000) \(writes)")
        await writer.close()
    }
}
