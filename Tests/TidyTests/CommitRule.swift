import Foundation

/// Where transactions are committed, and the steps at which tests have a process die.
enum CrashPoints {
    /// PostgreSQL commits in a process of its own: what a lost connection leaves is proved by tests that cut it.
    static let aroundCommits = Rule("A commit has a crash point before it and one after it") { file in
        guard file.module != "Postgres" else { return [] }
        return file.code.indices.filter { commits(file.code[$0]) }.compactMap { index in
            let around = [index - 1, index + 1].map { file.code.indices.contains($0) ? file.code[$0] : "" }
            guard !around.allSatisfy({ $0.contains("crashPoint(") }) else { return nil }
            return Offence(
                path: file.path, line: index + 1,
                advice: "call crashPoint(…) on the lines above and below, so that a proof can die there")
        }
    }

    static func commits(_ code: String) -> Bool {
        guard ["COMMIT", "END", "RELEASE"].contains(where: code.contains) else { return false }
        return code.contains(
            #/"\s*(COMMIT|END(\s+TRANSACTION)?)\b|\bRELEASE\s+(?!part\b)|;\s*(COMMIT|END)\b/#)
    }

    /// The names that code passes.
    static func passed(in file: SourceFile) -> [String] {
        file.code.filter { $0.contains("crashPoint") }.flatMap { line in
            line.matches(of: #/crashPoint\("([^"]*)"\)/#).map { String($0.1) }
        }
    }

    /// The names that are declared.
    static func declared(in file: SourceFile) -> [String] {
        file.code.flatMap { line in line.matches(of: #/case \w+ = "([^"]*)"/#).map { String($0.1) } }
    }
}
