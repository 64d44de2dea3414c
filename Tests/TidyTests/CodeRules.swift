/// What no line may say, wherever it stands.
enum CodeRules {
    static let noPublic = Rule("Nothing is public") { code, _ in
        guard code.contains("public") || code.contains("open ") else { return nil }
        return code.contains(#/^\s*(@\S+\s+)*(public(\(set\))?|open)\s+\w/#)
            ? "nobody outside this package imports it: say `package`, or nothing" : nil
    }

    static let noUnchecked = Rule("Nothing claims to be Sendable without proof") { code, _ in
        code.contains("@unchecked")
            ? "use a Mutex, an Atomic or an actor, which the compiler can check" : nil
    }

    static let randomHasAPlace = Rule("Randomness has a place in memory") { code, file in
        code.contains("SystemRandomNumberGenerator") && !file.path.hasSuffix("/SystemRandom.swift")
            ? "use SystemRandom, which the thread sanitizer understands" : nil
    }

    static let unsafeWithReason = Rule("nonisolated(unsafe) gives its reason on the line above") { file in
        file.code.indices
            .filter { file.code[$0].contains("nonisolated(unsafe)") && !isComment(file, line: $0 - 1) }
            .map {
                Offence(
                    path: file.path, line: $0 + 1,
                    advice: "say on the line above why this cannot be a data race")
            }
    }

    private static func isComment(_ file: SourceFile, line: Int) -> Bool {
        file.lines.indices.contains(line) && file.lines[line].contains(#/^\s*\/\//#)
    }
}
