import System

/// `renga-bench`: measures renga on this machine and prints the figures as a Markdown table.
///
/// Each benchmark is a file; what they share is in `Harness`. A program that a benchmark needs beside itself is either
/// `renga`, as users run it, or this program again in one of the roles of `Helpers`.
@main
struct Main {
    static func main() async {
        var words = CommandLine.arguments.dropFirst()
        do {
            if words.first == Helper.word {
                words.removeFirst()
                return try await Helper.run(Array(words))
            }
            try await measure(Options(Array(words)))
        } catch {
            note("renga-bench: \(error)")
            exitProcess(1)
        }
    }

    private static let onSQLite: [any Benchmark.Type] = [
        EnqueueBenchmark.self, ClaimBenchmark.self, ServerBenchmark.self, BulkBenchmark.self,
        MessagesBenchmark.self, WorkerBenchmark.self, PacedBenchmark.self, PickupBenchmark.self,
        IdleBenchmark.self, BesideBenchmark.self, CallsBenchmark.self, LargeBenchmark.self,
        GrowthBenchmark.self,
    ]

    private static let onPostgres: [any Benchmark.Type] = [
        PostgresEnqueueBenchmark.self, PostgresClaimBenchmark.self, PostgresPeersBenchmark.self,
        PostgresDistanceBenchmark.self, PostgresLargeBenchmark.self, PostgresEnduranceBenchmark.self,
        PostgresPickupBenchmark.self, PostgresMessagesBenchmark.self,
    ]

    private static func measure(_ options: Options) async throws {
        let all = onSQLite + onPostgres
        let usual = options.isForPostgres ? onPostgres : onSQLite
        let chosen = options.only.isEmpty ? usual : all.filter { options.only.contains($0.name) }
        guard !options.isHelp, !chosen.isEmpty else {
            return note(Options.help(all.map { ($0.name, $0.summary) }))
        }
        let children = Children()
        children.endWithThisProcess()
        let scratch = try ScratchDirectory()
        defer { scratch.remove() }
        let context = try BenchmarkContext(options: options, scratch: scratch.path, children: children)
        defer { context.postgres.end() }
        if options.record { try await Machine.waitForQuiet() }
        var report = try Report(options: options, scratch: scratch.path)
        for benchmark in chosen {
            note("\(benchmark.name): \(benchmark.summary) …")
            do {
                report.table.add(try await benchmark.run(context))
                try context.postgres.dropDatabases()
            } catch {
                children.endAll()
                throw error
            }
        }
        try report.finish(context.postgres)
        print(report.text)
        if options.record { try report.append(to: "Benchmarks/RESULTS.md") }
    }
}
