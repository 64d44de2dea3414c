import Testing

/// A migration that is not listed is never run; one that is listed twice or out of order runs wrongly.
@Suite struct MigrationTests {
    static let list = "migrations/Migrations.swift"
    static let folders = ["migrations/sqlite", "migrations/postgres"]

    @Test(arguments: folders)
    func `Migrations are numbered without gaps and named for what they do`(_ folder: String) {
        for (index, path) in Self.onDisk(folder).enumerated() {
            let name = path.dropFirst(folder.count + 1)
            let number = String(repeating: "0", count: max(0, 4 - "\(index + 1)".count)) + "\(index + 1)"
            #expect(
                name.wholeMatch(of: #/\d{4}_[a-z0-9_]+\.sql/#) != nil && name.hasPrefix(number),
                "\(path): call it \(number)_what_it_does.sql")
        }
    }

    @Test func `Migrations on disk are the migrations listed, in the same order`() {
        let code = blankingComments(in: Repository.text(of: Self.list))
        let listed = code.matches(of: #/PackageResources\.(\w+)/#).map { String($0.1) }
        let expected = Self.folders.flatMap { folder in
            Self.onDisk(folder).map { Self.embeddedName(of: $0, in: folder) }
        }
        #expect(
            listed == expected,
            "\(Self.list): lists \(listed), but there are \(expected): list each file once, in order"
        )
        // Both folders are embedded under the names of their files.
        #expect(Set(expected).count == expected.count)
    }

    private static func onDisk(_ folder: String) -> [String] {
        Repository.files(under: folder).filter { $0.hasSuffix(".sql") }
    }

    /// `.embedInCode` makes `_001_initial_sql` of `0001_initial.sql`: a leading digit is replaced.
    private static func embeddedName(of path: String, in folder: String) -> String {
        let name = path.dropFirst(folder.count + 1)
        return "_" + name.dropFirst().replacing(".", with: "_")
    }
}
