import Testing

/// The walls of the house: what the compiler cannot hold, held for every file.
@Suite struct WallTests {
    @Test(arguments: [
        ImportRules.arrows(Repository.manifest), sqlStaysInTheStore, documented,
        CodeRules.noPublic, CodeRules.noUnchecked, CodeRules.unsafeWithReason,
    ])
    func `The rooms keep to the rule`(_ rule: Rule) {
        report(Repository.sources.flatMap(rule.offences))
    }

    @Test(arguments: [CodeRules.noUnchecked, CodeRules.unsafeWithReason])
    func `The tests keep to the rule`(_ rule: Rule) {
        report(Repository.tests.flatMap(rule.offences))
    }

    @Test func `Each C library has one door, which one room opens`() {
        let manifest = Repository.manifest
        #expect(!manifest.doors.isEmpty)
        for door in manifest.doors.sorted() {
            let rooms = manifest.dependencies.filter { $0.value.contains(door) }.keys.sorted()
            #expect(rooms.count == 1, "Package.swift: \(door) is opened by \(rooms): give it one room")
        }
    }

    @Test func `What serves one technology knows nothing of jobs`() {
        for room in ["JSON", "Crypto", "System", "Telemetry", "SQLite", "HTTPServer", "HTTPClient"] {
            #expect(
                !Repository.manifest.reach(from: room).contains("Jobs"),
                "Package.swift: \(room) must not reach Jobs: turn the arrow round")
        }
    }

    @Test func `Jobs reaches no file, no socket and no clock`() {
        let outside: Set = ["System", "SQLite", "HTTPServer", "HTTPClient", "JobStoreSQLite"]
        let reached = Repository.manifest.reach(from: "Jobs").intersection(outside).sorted()
        #expect(reached.isEmpty, "Package.swift: Jobs is pure and must not reach \(reached)")
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
