import JSON
import Jobs
import Testing

/// What only the schedule knows must be true.
extension Schedule {
    /// A call for a tag that has a budget is paid out of it, wherever its job stood when the budget came.
    func auditBudgets() async throws {
        for (tag, since) in budgeted {
            for attempt in try await harness.database.attemptsOutsideBudget(of: tag, since: since) {
                Issue.record("\(attempt.job)/\(attempt.number) is not in the budget of \(tag)")
            }
        }
    }

    /// What a queued job will send is what its row says of it.
    func auditRequests() async throws {
        for stored in try await harness.database.changedRequests() {
            let request = try JSON.parse(stored.request)
            let hash = PromptHash(request: request, sample: stored.sample)
            #expect(hash.bytes == stored.promptHash, "\(stored.job)")
            #expect(stored.request.count == stored.bytes && request["model"]?.string == stored.model)
        }
    }
}
