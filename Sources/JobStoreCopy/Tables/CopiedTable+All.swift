extension CopiedTable {
    /// All that both databases have, each table behind those that it refers to.
    ///
    /// Not among them is what one has for itself: SQLite its calendar, the answers' index as far as it is in memory, and the last
    /// place in the order of finishing; PostgreSQL its version, its numbers, and the names of jobs, which are written with them.
    static let all = [
        tenant, queue, virtualTime, route, bucket, latency, lane, laneMove, refusalStreak, prefix, batch, job,
        jobCheck, jobTag, answer, pendingRelease, worker, credential, workerService, attempt, laneTally,
        batchTally, pruneFloor, budget, budgetWindow, event, spend, spendTag, messageBatch, messageBatchItem,
        providerBatch, statement,
    ]

    /// Those whose ids PostgreSQL's sequences give.
    static let numbered = [
        "queue", "route", "lane", "answer", "worker", "credential", "budget", "budget_window", "event",
        "provider_batch", "statement",
    ]
}
