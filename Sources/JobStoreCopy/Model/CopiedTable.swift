/// Rows that both schemas have, whatever tables they stand in there: data that one reader and one writer of each database go by.
struct CopiedTable: Sendable {
    /// For people; mostly that of the table in both schemas.
    let name: String
    /// Those of the key first.
    let columns: [CopiedColumn]
    let keyCount: Int
    let file: Place
    let server: Place

    init(
        _ name: String, key: Int = 1, _ columns: [CopiedColumn], file: Place? = nil, server: Place? = nil
    ) {
        self.name = name
        self.columns = columns
        keyCount = key
        let plain = Insert(name, columns.map(\.name))
        self.file = file ?? Place(driver: name, inserts: [plain])
        self.server = server ?? Place(driver: name, inserts: [plain])
    }

    /// Counts and sums, which PostgreSQL keeps in parts behind a view of this name.
    var inParts: CopiedTable {
        CopiedTable(
            name, key: keyCount, columns,
            server: Place(driver: name, inserts: [Insert(name + "_part", columns.map(\.name))]))
    }

    var key: [CopiedColumn] { Array(columns[..<keyCount]) }

    /// Whether rows stand there from the beginning.
    var isSeeded: Bool { file.inserts.contains(where: \.replaces) }

    func index(of name: String) -> Int {
        guard let index = columns.firstIndex(where: { $0.name == name }) else {
            preconditionFailure("\(self.name) has no column \(name)")
        }
        return index
    }

    /// What to call a row in a message.
    func describe(_ row: CopiedRow) -> String {
        let words = zip(key, row).map { "\($0.name) \($1)" }
        return "the row of \(name) with \(words.joined(separator: ", "))"
    }
}

/// Where one of the databases has the rows.
struct Place: Sendable {
    /// The table or view that is read in the order of its key.
    var driver: String
    /// What is joined to each of its rows.
    var joined = ""
    /// How a column is read, if not by its name.
    var expressions: [String: String] = [:]
    var inserts: [Insert]
    /// Tables that have as many rows in all as the driver: others would stay behind unseen.
    var parts: [String] = []
}

/// What of a row is written into one table.
struct Insert: Sendable {
    let table: String
    let columns: [String]
    /// What columns are called there, if otherwise.
    var names: [String: String] = [:]
    /// What is written of a column, if not its value.
    var expressions: [String: String] = [:]
    /// Which rows are meant, as a condition on the columns and on those of `asked`.
    var filter: String?
    var asked: [String] = []
    /// Columns that only SQLite has: moments at which it was a time that both have.
    var moments: [String: String] = [:]
    /// A row may stand there from the beginning.
    var replaces = false

    init(_ table: String, _ columns: [String]) {
        self.table = table
        self.columns = columns
    }

    func naming(_ names: [String: String]) -> Insert { with { $0.names = names } }
    func writing(_ expressions: [String: String]) -> Insert { with { $0.expressions = expressions } }
    func moments(_ moments: [String: String]) -> Insert { with { $0.moments = moments } }
    func replacing() -> Insert { with { $0.replaces = true } }
    func when(_ filter: String, asking asked: [String] = []) -> Insert {
        with { ($0.filter, $0.asked) = (filter, asked) }
    }

    private func with(_ change: (inout Insert) -> Void) -> Insert {
        var insert = self
        change(&insert)
        return insert
    }
}
