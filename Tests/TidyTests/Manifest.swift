import Foundation

/// What Package.swift says about targets, read from its text: the arrows that imports are held to.
struct Manifest: Sendable {
    /// The direct dependencies of each module and test, by name.
    let dependencies: [String: Set<String>]
    /// C libraries, each with a module map.
    let systemLibraries: Set<String>
    /// Modules that may touch C, and therefore pointers and Glibc.
    let touchesC: Set<String>
    /// The package's own `dependencies:`, as written.
    let packageDependencies: String?

    init(_ text: String) {
        let text = blankingComments(in: text)
        var dependencies: [String: Set<String>] = [:]
        let target =
            #/\.(?:target|executableTarget|testTarget)\(\s*name:\s*"(\w+)"(?:,\s*dependencies:\s*\[([^\]]*))?/#
        for match in text.matches(of: target) {
            dependencies[String(match.1)] = quotedWords(in: match.2 ?? "")
        }
        self.dependencies = dependencies
        systemLibraries = Set(text.matches(of: #/\.systemLibrary\(\s*name:\s*"(\w+)"/#).map { String($0.1) })
        touchesC = quotedWords(in: text.firstMatch(of: #/touchesC[^=]*=\s*\[([^\]]*)\]/#)?.1 ?? "")
        packageDependencies =
            text.firstMatch(of: #/Package\((?s:.*?)\n\s*dependencies:\s*(\[[^\n]*)/#).map { String($0.1) }
    }

    /// Everything that a module can reach by following the arrows.
    func reach(from module: String) -> Set<String> {
        var reached: Set<String> = []
        var pending = dependencies[module] ?? []
        while let next = pending.popFirst() {
            guard reached.insert(next).inserted else { continue }
            pending.formUnion(dependencies[next] ?? [])
        }
        return reached
    }
}

private func quotedWords(in text: Substring) -> Set<String> {
    Set(text.matches(of: #/"(\w+)"/#).map { String($0.1) })
}
