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

    /// `docs/glossary.md` has what things are called now.
    private static let goneNames = [
        "CallDesk": "InteractiveQueue", "key-taken": "custom-id-taken", "OwnLine": "InteractiveLanes",
        "Purse": "BudgetBook",
        "Consignment": "ProviderBatch", "SettleLine": "OperationBatcher", "SettleBatcher": "OperationBatcher",
        "FreshAnswers": "RecentAnswers", "answer_fresh": "answer_recent", "turn_line": "virtual_time",
        "finish_floor": "finish_watermark", "impatient": "skip_coalescing", "own_line": "is_interactive",
        "maybe_paid": "unconfirmed_cost", "maybePaid": "unconfirmedCost", "maybe paid": "unconfirmed",
        "maybe-paid": "unconfirmed",
        "more_replicas": "more_workers", "pause_reason": "nothing", "x-renga-lane": "x-renga-processing",
        "RENGA_GRACE": "RENGA_SHUTDOWN_TIMEOUT", "RENGA_BURST": "RENGA_RATE_WINDOW",
        "RENGA_BATCH_GATHER": "RENGA_BATCH_LINGER", "RENGA_BATCH_RESERVE": "RENGA_BATCH_DEADLINE_MARGIN",
        "RENGA_CALLER_": "RENGA_CLIENT_", "JobLane": "Processing",
        "RouteLedger.fuse": "RouteLedger.autoPauseThreshold", "BulkLedger": "BulkAnswers",
        "Ledgers": "RowCache",
        "ConnectionPlace": "ConnectionFiles", "OwnThread": "Thread",
    ]

    /// In comments and texts too.
    static let noGoneNames = Rule("Names that are gone do not come back") { file in
        file.lines.enumerated().flatMap { index, line in
            goneNames.filter { line.contains($0.key) }.map { gone, now in
                Offence(path: file.path, line: index + 1, advice: "say \(now) instead of \(gone)")
            }
        }
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
