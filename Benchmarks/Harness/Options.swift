/// The command line.
struct Options {
    private(set) var isQuick = false
    private(set) var record = false
    private(set) var isForPostgres = false
    private(set) var isHelp = false
    private(set) var only: Set<String> = []

    init(_ words: [String]) throws {
        var words = words[...]
        while let word = words.popFirst() {
            switch word {
            case "--quick": isQuick = true
            case "--record": record = true
            case "--postgres": isForPostgres = true
            case "--help", "-h", "help": isHelp = true
            case "--only":
                guard let name = words.popFirst() else { throw BenchmarkError("--only wants a name") }
                only.insert(name)
            default: throw BenchmarkError("unknown argument \(word); --help lists them")
            }
        }
    }

    static func help(_ benchmarks: [(name: String, summary: String)]) -> String {
        """
        ./dev bench [--quick] [--record] [--postgres] [--only NAME]…
          --quick    a first look, under a minute
          --record   waits for a quiet machine, and adds the table to Benchmarks/RESULTS.md
          --postgres the benchmarks of the store on PostgreSQL, instead of those on SQLite
          --only     one of
        """ + "\n" + benchmarks.map { "      \($0.name): \($0.summary)" }.joined(separator: "\n")
    }
}
