/// Imports follow the arrows of Package.swift, and each C library has one door and one room.
enum ImportRules {
    /// Part of the toolchain and free of ICU; anything else is a dependency, and there are none.
    static let toolchain: Set<String> = ["Synchronization", "Dispatch", "FoundationEssentials"]

    static func arrows(_ manifest: Manifest) -> Rule {
        Rule("A room imports only what Package.swift lets it") { code, file in
            guard let module = importedModule(code) else { return nil }
            let allowed = manifest.dependencies[file.room] ?? []
            if allowed.contains(module) || toolchain.contains(module) { return nil }
            if module == "Foundation" {
                return
                    "Foundation brings ICU: use the standard library, or FoundationEssentials if it must be"
            }
            if manifest.doors.contains(module) {
                return "\(module) is the door of one room only: ask that room for what you need"
            }
            if module == "Glibc" {
                return manifest.touchesC.contains(file.room)
                    ? nil
                    : "only \(manifest.touchesC.sorted().joined(separator: ", ")) touch Glibc: ask System for it"
            }
            guard manifest.dependencies[module] != nil else {
                return "\(module) is neither a room nor in \(toolchain.sorted()): renga has no dependencies"
            }
            return
                "Package.swift draws no arrow from \(file.room) to \(module): move the code, or draw the arrow"
        }
    }

    /// The module named by an import, whatever its attributes and access; nil for any other line.
    static func importedModule(_ code: String) -> String? {
        guard code.contains("import ") else { return nil }
        let form =
            #/^\s*(?:@\S+\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/#
        return code.firstMatch(of: form).map { String($0.1) }
    }
}
