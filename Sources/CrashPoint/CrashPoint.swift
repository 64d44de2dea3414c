#if DEBUG
    import Glibc
    import Synchronization

    /// Every step at which a test has a process die, as a kill or a power cut would have it.
    ///
    /// Each has a proof among the EndToEndTests. Optimised builds contain neither names nor steps.
    package enum CrashPoint: String, CaseIterable, Sendable {
        case databaseMade = "database-made"
        case migrationStep = "migration-step"
        case commitBefore = "commit-before"
        case commitAfter = "commit-after"
        case checkpointLocked = "checkpoint-locked"
        case checkpointCopied = "checkpoint-copied"
        case backupCopied = "backup-copied"
        case bulkPortion = "bulk-portion"
        case batchPortion = "batch-portion"
        case batchUploaded = "batch-uploaded"
        case batchOpened = "batch-opened"
        case attemptsClaimed = "attempts-claimed"
        case requestConnected = "request-connected"
        case requestPartlySent = "request-partly-sent"
        case answerBegun = "answer-begun"
        case answerPartlyRead = "answer-partly-read"
        case attemptCalled = "attempt-called"
        case pruneDeleted = "prune-deleted"
        case prunePortion = "prune-portion"
        case moveMarked = "move-marked"
        case movePortion = "move-portion"
        case moveCompared = "move-compared"
        case moveLeft = "move-left"
        case moveFinished = "move-finished"

        /// `RENGA_CRASH_AT=name:count`: which step, and at which time of coming there.
        fileprivate static let order: (name: String, count: Int)? = {
            guard let text = getenv("RENGA_CRASH_AT").map({ String(cString: $0) }) else { return nil }
            let parts = text.split(separator: ":")
            guard parts.count == 2, let point = CrashPoint(rawValue: String(parts[0])),
                let count = Int(parts[1])
            else { preconditionFailure("RENGA_CRASH_AT is “\(text)”") }
            return (point.rawValue, count)
        }()

        fileprivate static let passed = Atomic(0)
    }

    /// Dies here if `RENGA_CRASH_AT` says so; `name` is that of a `CrashPoint`.
    package func crashPoint(_ name: StaticString) {
        guard let order = CrashPoint.order, order.name == name.description else { return }
        let count = CrashPoint.passed.wrappingAdd(1, ordering: .relaxed).newValue
        if count == order.count { kill(getpid(), SIGKILL) }
    }
#else
    /// Nothing.
    @inlinable @inline(__always) package func crashPoint(_ name: StaticString) {}
#endif
