import Testing

/// What the compiler cannot check, checked for every file.
@Suite struct WallTests {
    @Test(arguments: [
        ImportRules.arrows(Repository.manifest), ImportRules.programKnowsNoStore, sqlStaysInTheStore,
        documented, CodeRules.noPublic, CodeRules.noUnchecked, CodeRules.unsafeWithReason,
        CodeRules.randomHasAPlace,
        CrashPoints.aroundCommits, CodeRules.noGoneNames, DecisionRules.fewImports,
        DecisionRules.nothingFromOutside, DecisionRules.storesDecideNothing,
    ])
    func `The modules keep to the rule`(_ rule: Rule) {
        report(Repository.sources.flatMap(rule.offences))
    }

    @Test(arguments: [
        CodeRules.noUnchecked, CodeRules.unsafeWithReason, CodeRules.randomHasAPlace, CodeRules.noGoneNames,
        ImportRules.suitesKnowNoStore,
    ])
    func `The tests keep to the rule`(_ rule: Rule) {
        report(Repository.tests.flatMap(rule.offences))
    }

    @Test func `Documents, the schema and the API's description keep to the names`() {
        #expect(Repository.documents.count > 10)
        report(Repository.documents.flatMap(CodeRules.noGoneNames.offences))
    }

    @Test func `Each C library is imported by one module`() {
        let manifest = Repository.manifest
        #expect(!manifest.systemLibraries.isEmpty)
        for library in manifest.systemLibraries.sorted() {
            let modules = manifest.dependencies.filter { $0.value.contains(library) }.keys
                .filter { module in Repository.sources.contains { $0.module == module } }.sorted()
            #expect(
                modules.count == 1, "Package.swift: \(library) is imported by \(modules): give it one module")
        }
    }

    @Test func `What serves one technology knows nothing of jobs`() {
        for module in [
            "JSON", "Crypto", "System", "Telemetry", "SQLite", "Postgres", "HTTPServer", "HTTPClient",
        ] {
            #expect(
                !Repository.manifest.reach(from: module).contains("Jobs"),
                "Package.swift: \(module) must not reach Jobs: turn the arrow round")
        }
    }

    @Test func `Jobs reaches no file, no socket and no clock`() {
        let outside: Set = ["System", "SQLite", "Postgres", "HTTPServer", "HTTPClient", "JobStoreSQLite"]
        let reached = Repository.manifest.reach(from: "Jobs").intersection(outside).sorted()
        #expect(reached.isEmpty, "Package.swift: Jobs is pure and must not reach \(reached)")
    }

    @Test func `Decisions are given nothing but jobs and JSON`() {
        #expect(
            Repository.manifest.dependencies["StoreRules"] == DecisionRules.imports,
            "Package.swift: StoreRules is pure: give it no more than \(DecisionRules.imports.sorted())")
    }

    @Test func `One place of each database commits`() {
        let commits = Repository.sources.filter { $0.code.contains(where: CrashPoints.commits) }.map(\.path)
        #expect(
            commits == [
                "Sources/Postgres/Connection/Transaction.swift", "Sources/SQLite/Writing/WriterGroup.swift",
            ],
            "let the writer or a transaction commit: their failures are proved")
    }

    @Test
    func `A store and what copies its rows stand on PostgreSQL, and renga needs no library of it to start`() {
        let users = Repository.manifest.dependencies.filter { $0.value.contains("Postgres") }.keys
            .filter { module in Repository.sources.contains { $0.module == module } }.sorted()
        #expect(users == ["JobStoreCopy", "JobStorePostgres", "renga"])
        let linked = Repository.text(of: "Sources/CPQ/module.modulemap").contains("link ")
        #expect(!linked, "Sources/CPQ: libpq is loaded when it is asked for (decision 24), never linked")
    }

    @Test func `A statement that a PostgreSQL server keeps has a name that no other has`() {
        let modules: Set = ["Postgres", "JobStorePostgres", "JobStoreCopy"]
        var names: [String: Int] = [:]
        for file in Repository.sources where modules.contains(file.module) {
            for match in file.lines.joined(separator: "\n").matches(of: #/Statement\(\s*"([a-z0-9-]+)"/#) {
                names[String(match.1), default: 0] += 1
            }
        }
        #expect(names.count > 100)
        #expect(names.filter { $0.value > 1 }.keys.sorted() == [])
    }

    @Test func `Every crash point that is declared is passed, and no other`() {
        let home = "Sources/CrashPoint/CrashPoint.swift"
        let passed = Set(Repository.sources.flatMap(CrashPoints.passed))
        let declared = Repository.sources.filter { $0.path == home }.flatMap(CrashPoints.declared)
        #expect(!declared.isEmpty && passed == Set(declared), "\(home): declare what is passed")
    }

    @Test func `No Swift package is used`() {
        #expect(
            Repository.manifest.packageDependencies?.hasPrefix("[]") == true,
            "Package.swift: `dependencies: []` is a decision; a new one needs docs/decisions/ and the owner")
    }

    @Test func `The files were found`() {
        #expect(Repository.sources.count > 10)
        #expect(Repository.manifest.dependencies["renga"]?.contains("API") == true)
    }
}

private func report(_ offences: [Offence]) {
    for offence in offences { Issue.record("\(offence)") }
}
