/// Helper processes that claim and settle, side by side on one database, until nothing is queued.
struct Claimers {
    let context: BenchmarkContext
    /// What each of them is told.
    let words: [String]
    var processes: Int

    struct Outcome {
        var rate: Double
        var cpuMicroseconds: Double
        /// Of all processes together.
        var claims: Latencies
        var settlements: Latencies

        var processorTime: String { "processor time a job \(Table.number(cpuMicroseconds)) µs" }
    }

    /// Throws if they did more or fewer jobs than expected.
    func run(expecting count: Int, within limit: Duration = .seconds(120)) async throws -> Outcome {
        var children: [Child] = []
        for number in 0..<processes {
            let log = "\(words[0])-\(UInt32.random(in: 0 ... .max))-\(number)"
            children.append(try context.helper(words, log: log))
        }
        for child in children { _ = try await child.line(with: "ready") }
        for child in children { try child.send("go") }
        var ends: [[Double]] = []
        for child in children {
            ends.append(Helper.numbers(in: try await child.line(with: "done", within: limit)))
            try await child.wait(within: .seconds(20))
        }
        let jobs = ends.reduce(0) { $0 + $1[0] }
        guard Int(jobs) == count, let first = ends.map({ $0[1] }).min(), let last = ends.map({ $0[2] }).max()
        else { throw BenchmarkError("\(Int(jobs)) of \(count) jobs were settled") }
        return Outcome(
            rate: jobs / ((last - first) / 1000), cpuMicroseconds: ends.reduce(0) { $0 + $1[3] } / jobs * 1e6,
            claims: try await latencies("claims", children),
            settlements: try await latencies("settlements", children))
    }

    private func latencies(_ word: String, _ children: [Child]) async throws -> Latencies {
        var all: [Double] = []
        for child in children { all += Helper.numbers(in: try await child.line(with: word)) }
        return Latencies(all)
    }
}

extension Claimers {
    /// Of renga's own, which claim a hundred at a time from a file or a URL.
    init(_ context: BenchmarkContext, database: String, processes: Int) {
        self.init(context: context, words: ["claim", database, "100"], processes: processes)
    }
}
