import Jobs
import System

/// One thing that is measured, alone on the machine as far as that can be had.
protocol Benchmark: SendableMetatype {
    /// The word for `--only`.
    static var name: String { get }
    static var summary: String { get }
    static func run(_ context: BenchmarkContext) async throws -> [Figure]
}

/// What every benchmark is given.
struct BenchmarkContext: Sendable {
    let sizes: Sizes
    /// A folder for databases and logs, on the disk that holds the working directory.
    let scratch: String
    let children: Children
    let postgres: PostgresServer
    /// Where `renga` and `renga-bench` were built.
    let programs: String

    init(options: Options, scratch: String, children: Children) throws {
        sizes = options.isQuick ? .quick : .full
        self.scratch = scratch
        self.children = children
        postgres = PostgresServer(folder: scratch)
        programs = try Machine.folderOfThisProgram()
        guard fileExists(programs + "/renga") else {
            throw BenchmarkError("\(programs)/renga is not there; `./dev bench` builds it")
        }
    }

    /// A database of its own for each benchmark.
    func database(_ name: String) -> String { "\(scratch)/\(name).db" }
}

/// How much of everything: enough for a steady figure, or for a first look.
struct Sizes: Sendable {
    /// Jobs through the store in one process.
    var jobs: Int
    /// Seconds of load on the server, for each kind of request.
    var load: Double
    /// Lines of the bulk upload.
    var lines: Int
    /// Jobs that wait when a worker starts.
    var backlog: Int
    /// The same with a slow upstream.
    var paced: Int
    var pickups: Int
    var idle: Double
    /// Claims that are timed, and jobs of each kind that wait beside them.
    var claims: Int
    var bystanders: Int
    /// Calls in flight at once.
    var inFlight: Int

    static let full = Sizes(
        jobs: 50_000, load: 6, lines: 1_000_000, backlog: 50_000, paced: 25_600, pickups: 400, idle: 10,
        claims: 300, bystanders: 1_000_000, inFlight: 4_000)
    static let quick = Sizes(
        jobs: 8_000, load: 2, lines: 20_000, backlog: 6_000, paced: 5_120, pickups: 100, idle: 4,
        claims: 150, bystanders: 20_000, inFlight: 500)
}

/// Why a figure could not be had.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Progress and errors go to standard error, the table alone to standard output.
func note(_ text: String) {
    // There may be no reader.
    try? writeAll(2, Array((text + "\n").utf8))
}
