import Testing

/// A rule that cannot fail holds nothing: each is shown what it forbids and what it lets pass.
@Suite struct RuleTests {
    static let manifest = Manifest(
        """
        let systemLibraries = [.systemLibrary(name: "CSQLite", pkgConfig: "sqlite3")]
        let touchesC: Set<String> = ["SQLite", "System"]
        let modules = [
            .target(name: "System"),  // .target(name: "Ghost"),
            .target(name: "SQLite", dependencies: ["CSQLite"]),
            .target(name: "Jobs"),
            .executableTarget(
                name: "renga",
                dependencies: [
                    "Jobs", "SQLite",
                ]),
        ]
        let package = Package(
            name: "renga",
            dependencies: [],
            targets: modules
        )
        """)

    @Test func `Package.swift is read as it is written`() {
        let manifest = Self.manifest
        #expect(manifest.dependencies.keys.sorted() == ["Jobs", "SQLite", "System", "renga"])
        #expect(manifest.systemLibraries == ["CSQLite"])
        #expect(manifest.touchesC == ["SQLite", "System"])
        #expect(manifest.packageDependencies == "[],")
        #expect(manifest.reach(from: "renga") == ["Jobs", "SQLite", "CSQLite"])
    }

    @Test(arguments: [
        ("SQLite", "import CSQLite"), ("SQLite", "import Glibc"), ("renga", "package import Jobs"),
        ("renga", "@preconcurrency import Dispatch"), ("Jobs", "import Synchronization"),
        ("Jobs", "// import SQLite"), ("Jobs", "let important = 1"),
    ])
    func `An import along an arrow passes`(module: String, line: String) {
        #expect(offences(ImportRules.arrows(Self.manifest), line, module: module).isEmpty)
    }

    @Test(arguments: [
        ("renga", "import CSQLite"), ("Jobs", "import SQLite"), ("Jobs", "import Glibc"),
        ("SQLite", "import Foundation"),
        ("System", "package import Jobs"), ("Jobs", "import struct SQLite.Connection"),
        ("Jobs", "import Vapor"),
        ("Jobs", "/* why */ @preconcurrency import SQLite"),
    ])
    func `An import against the arrows is found`(module: String, line: String) {
        #expect(offences(ImportRules.arrows(Self.manifest), line, module: module).map(\.line) == [1])
    }

    @Test func `A suite that knows its store is found, and the store under test may know itself`() {
        func found(_ path: String, _ line: String) -> Int {
            ImportRules.suitesKnowNoStore.offences(SourceFile(path: path, text: line)).count
        }
        let suites = "Tests/StoreConformance/"
        #expect(found(suites + "Claiming/ClaimTests.swift", "@testable import JobStoreSQLite") == 1)
        #expect(found(suites + "Support/StoreHarness.swift", "import StoreAudit") == 1)
        #expect(found(suites + "Claiming/ClaimTests.swift", "import StoreRules") == 0)
        #expect(found(suites + "Stores/SQLiteDatabase.swift", "import SQLite") == 0)
        #expect(found("Tests/JobStoreTests/SQLite/FileTests.swift", "import SQLite") == 0)
    }

    @Test func `A command that knows which database it is on is found`() {
        func found(_ path: String, _ line: String) -> Int {
            ImportRules.programKnowsNoStore.offences(SourceFile(path: path, text: line)).count
        }
        #expect(found("Sources/renga/Commands/Serve.swift", "import JobStoreSQLite") == 1)
        #expect(found("Sources/renga/Services/ServiceContext.swift", "import SQLite") == 1)
        #expect(found("Sources/renga/Commands/Serve.swift", "import Jobs") == 0)
        #expect(found("Sources/renga/Database/SQLiteDatabase.swift", "import SQLite") == 0)
        #expect(found("Benchmarks/Rows/ClaimBenchmark.swift", "import JobStoreSQLite") == 0)
    }

    @Test(arguments: [
        #"try run("SELECT id FROM job")"#, #"let sql = "DELETE FROM job""#, "INSERT OR IGNORE INTO job",
        "UPDATE job\n    SET state = 1", "CREATE UNIQUE INDEX i", #"execute("PRAGMA user_version")"#,
        "BEGIN IMMEDIATE",
    ])
    func `SQL outside the store is found where it begins`(text: String) {
        #expect(offences(sqlStaysInTheStore, text, module: "API").map(\.line) == [1])
        #expect(offences(sqlStaysInTheStore, text, module: "JobStoreSQLite").isEmpty)
    }

    @Test func `The SQLite module speaks of transactions, not of tables`() {
        #expect(offences(sqlStaysInTheStore, #"execute("BEGIN IMMEDIATE")"#, module: "SQLite").isEmpty)
        #expect(offences(sqlStaysInTheStore, #"execute("SELECT id FROM job")"#, module: "SQLite").count == 1)
    }

    @Test func `The Postgres module asks its server's functions, not tables`() {
        #expect(
            offences(sqlStaysInTheStore, #"Statement("a", "SELECT version()")"#, module: "Postgres").isEmpty)
        #expect(offences(sqlStaysInTheStore, #""SELECT count(*) FROM job""#, module: "Postgres").count == 1)
        #expect(offences(sqlStaysInTheStore, #""DELETE FROM job""#, module: "Postgres").count == 1)
    }

    @Test(arguments: [#"method == "DELETE""#, "// SELECT id FROM job", "let selection = SELECTED"])
    func `What only looks like SQL passes`(text: String) {
        #expect(offences(sqlStaysInTheStore, text, module: "API").isEmpty)
    }

    @Test(arguments: [
        "package struct Job {}", "package func now() -> Int {", "\npackage protocol Store {}",
        "/// Far above.\n\npackage enum State {}", "@frozen package final class Pool {}",
    ])
    func `An undocumented declaration is found`(text: String) {
        #expect(offences(documented, text, module: "Jobs").count == 1)
    }

    @Test(arguments: [
        "/// A job.\npackage struct Job {}", "/// A job.\n@frozen\npackage struct Job {}",
        "    package let id: String",
        "func helper() {}", "package import Jobs", "package init() {}", "    package enum Code {}",
        "    package mutating func bool(_ value: Bool) {",
    ])
    func `A documented or plain declaration passes`(text: String) {
        #expect(offences(documented, text, module: "Jobs").isEmpty)
    }

    @Test func `Escapes from the compiler's checks are found`() {
        #expect(offences(CodeRules.noUnchecked, "final class Box: @unchecked Sendable {}").count == 1)
        #expect(offences(CodeRules.unsafeWithReason, "nonisolated(unsafe) let x = y").count == 1)
        #expect(offences(CodeRules.unsafeWithReason, "// Lent once.\nnonisolated(unsafe) let x = y").isEmpty)
        #expect(
            offences(CodeRules.noPublic, "    public func run() {}\nopen class Base {}").map(\.line) == [
                1, 2,
            ])
        #expect(offences(CodeRules.noPublic, "let publicKey = 1  // public func").isEmpty)
    }

    @Test func `Randomness without a place is found`() {
        #expect(offences(CodeRules.randomHasAPlace, "var random = SystemRandomNumberGenerator()").count == 1)
        #expect(offences(CodeRules.randomHasAPlace, "var random = SystemRandom()").isEmpty)
    }

    @Test(arguments: [
        #"try run("COMMIT")"#, #"    try run(" commit ")"#.uppercased(), #"execute("BEGIN IMMEDIATE; END")"#,
        #"run("RELEASE all")"#, "crashPoint(\"a\")\n\nrun(\"COMMIT\")\ncrashPoint(\"b\")",
        "crashPoint(\"a\")\nrun(\"COMMIT\")",
    ])
    func `A commit at which nobody dies is found`(text: String) {
        #expect(offences(CrashPoints.aroundCommits, text, module: "SQLite").count == 1)
    }

    @Test(arguments: [
        "crashPoint(\"a\")\nrun(\"COMMIT\")\ncrashPoint(\"b\")", #"run("RELEASE part")"#, "// COMMIT",
        #"run("ROLLBACK")"#, #"message: "COMMITTED""#,
    ])
    func `A commit between crash points passes, and so does what is none`(text: String) {
        #expect(offences(CrashPoints.aroundCommits, text, module: "SQLite").isEmpty)
    }

    @Test func `What PostgreSQL commits is not lost with a process of ours`() {
        #expect(offences(CrashPoints.aroundCommits, #"run("COMMIT")"#, module: "Postgres").isEmpty)
    }

    @Test func `The names of crash points are read`() {
        let file = SourceFile(path: "a", text: "case one = \"a-b\"\ncrashPoint(\"c-d\")")
        #expect(CrashPoints.declared(in: file) == ["a-b"] && CrashPoints.passed(in: file) == ["c-d"])
    }

    @Test func `Comments are blanked, strings are not, and lines keep their numbers`() {
        let text = "let a = \"https://x\" // b\n/* c\n /* d */ e */ let f = \"\"\"\n // g\n \"\"\" // h"
        let expected = "let a = \"https://x\"     \n    \n              let f = \"\"\"\n // g\n \"\"\"     "
        #expect(blankingComments(in: text) == expected)
    }

    @Test(arguments: [
        ("// what is maybe paid", 1), ("let purse = Purse()", 1), ("let unconfirmedCost = 0", 0),
    ])
    func `A name that is gone is found, in comments too`(text: String, count: Int) {
        #expect(offences(CodeRules.noGoneNames, text).count == count)
    }

    @Test(arguments: [
        ("import Jobs", 0), ("package import JSON", 0), ("import Synchronization", 1),
        ("import FoundationEssentials", 1), ("import SQLite", 1),
    ])
    func `Decisions import little`(line: String, count: Int) {
        #expect(offences(DecisionRules.fewImports, line, module: "StoreRules").count == count)
        #expect(offences(DecisionRules.fewImports, line, module: "Worker").isEmpty)
    }

    @Test(arguments: [
        ("let start = ContinuousClock.now", 1), ("let now = clock.now()", 1),
        ("var random = SystemRandom()", 1),
        ("lots.randomElement()", 1), ("Int.random(in: 0...9)", 1), ("lots.randomElement(using: &random)", 0),
        ("Int.random(in: 0...(.max), using: &random)", 0), ("until(now.moment)", 0),
    ])
    func `Decisions have no clock and no chance of their own`(line: String, count: Int) {
        #expect(offences(DecisionRules.nothingFromOutside, line, module: "StoreRules").count == count)
    }

    @Test(arguments: [
        ("ledger.admission(of: need, now: now)", 1), ("price.worstCase(bound, maxTokens: 1)", 1),
        ("RetryPolicy.decide(outcome)", 1), ("gate.passage(at: now)", 1),
        ("scheduler.next(among: waiting)", 1),
        ("requirement.lack(of: job, inQueueWithCheck: false)", 1), ("Gates(queue: queue)", 1),
        ("job.worst_case", 0), ("struct StoredWaits: WaitReads {", 0), ("// gate.passage(at: now)", 0),
    ])
    func `A decision in a store is found`(line: String, count: Int) {
        #expect(offences(DecisionRules.storesDecideNothing, line, module: "JobStoreSQLite").count == count)
        #expect(offences(DecisionRules.storesDecideNothing, line, module: "StoreRules").isEmpty)
    }

    private func offences(_ rule: Rule, _ text: String, module: String = "Jobs") -> [Offence] {
        rule.offences(SourceFile(path: "Sources/\(module)/Sample.swift", text: text))
    }
}
