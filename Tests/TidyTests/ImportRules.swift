/// Imports follow the arrows of Package.swift, and each C library is imported by one module.
enum ImportRules {
    /// Part of the toolchain and free of ICU; anything else is a dependency, and there are none.
    static let toolchain: Set<String> = ["Synchronization", "Dispatch", "FoundationEssentials"]

    static func arrows(_ manifest: Manifest) -> Rule {
        Rule("A module imports only what Package.swift lets it") { code, file in
            guard let module = importedModule(code) else { return nil }
            let allowed = manifest.dependencies[file.module] ?? []
            if allowed.contains(module) || toolchain.contains(module) { return nil }
            if module == "Foundation" {
                return
                    "Foundation brings ICU: use the standard library, or FoundationEssentials if it must be"
            }
            if manifest.systemLibraries.contains(module) {
                return "\(module) belongs to one module only: ask that module for what you need"
            }
            if module == "Glibc" {
                return manifest.touchesC.contains(file.module)
                    ? nil
                    : "only \(manifest.touchesC.sorted().joined(separator: ", ")) touch Glibc: ask System for it"
            }
            guard manifest.dependencies[module] != nil else {
                return "\(module) is neither a module nor in \(toolchain.sorted()): renga has no dependencies"
            }
            return
                "Package.swift draws no arrow from \(file.module) to \(module): move the code, or draw the arrow"
        }
    }

    /// What a suite knows of one store it would hold all others to.
    static let suitesKnowNoStore = Rule("Suites that run over every store know none") { code, file in
        guard file.path.hasPrefix("Tests/StoreConformance/"),
            !file.path.hasPrefix("Tests/StoreConformance/Stores/"), let module = importedModule(code),
            module.hasPrefix("JobStore") || ["SQLite", "StoreAudit"].contains(module)
        else { return nil }
        return "ask \(module) through TestDatabase, or move the test to those of its store"
    }

    /// The program asks a store by its ports: what only one has is behind `Database`.
    static let programKnowsNoStore = Rule("The program knows its databases in one folder") { code, file in
        guard file.module == "renga", !file.path.hasPrefix("Sources/renga/Database/"),
            let module = importedModule(code),
            module.hasPrefix("JobStore") || ["SQLite", "Postgres"].contains(module)
        else { return nil }
        return "ask \(module) in Sources/renga/Database, through the protocol Database"
    }

    /// The module named by an import, whatever its attributes and access; nil for any other line.
    static func importedModule(_ code: String) -> String? {
        guard code.contains("import ") else { return nil }
        let form =
            #/^\s*(?:@\S+\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/#
        return code.firstMatch(of: form).map { String($0.1) }
    }
}
