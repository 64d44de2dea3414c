package import Jobs
import StoreRules

extension PostgresJobStore {
    package func enqueueAndClaim(_ jobs: [NewJob], claiming request: ClaimRequest) async throws
        -> EnqueueAndClaimResult
    {
        let pending = try await write(.claim) { context in
            guard try ConfigurationHistory.isInForce(context.settings.configuration, context.access) else {
                throw JobStoreError(
                    .superseded,
                    "another configuration is in force than this server has: restart it with the new one")
            }
            var enqueue = Enqueue(context, into: .interactive(request.worker))
            let outcomes = try enqueue.run(jobs)
            for case .existing(let id) in outcomes {
                try InteractiveLanes(context, owner: request.worker).takeOver(id.value)
            }
            let claim = try context.claim(request)
            var states: [JobID: JobState] = [:]
            for key in claim.keys { states[key.job] = .running }
            let others = outcomes.compactMap(\.id).filter { states[$0] == nil }
            for job in try JobRecord.find(others.map(\.value), context.access) {
                states[JobID(job.id)] = job.state
            }
            return (outcomes: outcomes, states: states, claim: claim)
        }
        return EnqueueAndClaimResult(
            outcomes: pending.outcomes, states: pending.states, claim: try pending.claim.claim())
    }
}
