import System

/// The benchmarks, each a function that returns its rows of the table.
@main
struct Main {
    static func main() async throws {
        let directory = try ScratchDirectory()
        defer { directory.remove() }
        var table = Table()
        table.add(try await StoreBenchmark(directory: directory.path).run())
        table.print()
    }
}
