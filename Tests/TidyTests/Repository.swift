import Foundation

/// The checkout that these tests were compiled from, read once.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let manifest = Manifest(text(of: "Package.swift"))

    /// Every Swift file of the modules: what is linked into the binary.
    static let sources = swiftFiles(under: "Sources") + swiftFiles(under: "migrations")

    /// Every Swift file of the tests, without this folder: it spells out what it forbids.
    static let tests = swiftFiles(under: "Tests").filter { !$0.path.hasPrefix("Tests/TidyTests/") }

    /// What people read, without what tells of the past.
    static let documents =
        (files(under: "docs") + files(under: "migrations") + files(under: "Sources/OpenAPI") + ["README.md"])
        .filter { path in
            !path.hasPrefix("docs/decisions/") && [".md", ".sql", ".json"].contains { path.hasSuffix($0) }
        }
        .map { SourceFile(path: $0, text: text(of: $0)) }

    static func text(of path: String) -> String {
        (try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)) ?? ""
    }

    /// Paths relative to the root, sorted; empty where the folder does not exist.
    static func files(under folder: String) -> [String] {
        let found = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
        return (found?.compactMap { $0 as? String } ?? []).map { "\(folder)/\($0)" }.sorted()
    }

    private static func swiftFiles(under folder: String) -> [SourceFile] {
        files(under: folder).filter { $0.hasSuffix(".swift") }.map {
            SourceFile(path: $0, text: text(of: $0))
        }
    }
}

/// A Swift file, once as it is and once with its comments blanked, line by line.
struct SourceFile: Sendable {
    let path: String
    let lines: [String]
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.components(separatedBy: "\n")
        code = blankingComments(in: text).components(separatedBy: "\n")
    }

    /// The name of the target that the file belongs to, by the folders of Package.swift.
    var module: String {
        path.hasPrefix("migrations/")
            ? "Migrations" : path.split(separator: "/").dropFirst().first.map(String.init) ?? ""
    }
}
