extension Endpoint {
    /// All that the API answers; if two patterns match, the first counts.
    static let all: [Endpoint] = jobs + groups + compatible + operations

    private static let jobs = [
        Endpoint("POST", "/v1/jobs", body: .jobs, isBrief: true) { try await $0.enqueue($1) },
        Endpoint("GET", "/v1/jobs") { try await $0.listJobs($1) },
        Endpoint("POST", "/v1/jobs/bulk", body: .stream) { try await $0.bulk($1) },
        Endpoint("POST", "/v1/jobs/cancel") { try await $0.cancelJobs($1) },
        Endpoint("POST", "/v1/jobs/retry") { try await $0.retryJobs($1) },
        Endpoint("POST", "/v1/jobs/batches") { try await $0.createBatch($1) },
        Endpoint("GET", "/v1/jobs/batches") { try await $0.listBatches($1) },
        Endpoint("GET", "/v1/jobs/batches/{…}") { try await $0.showBatch($1) },
        Endpoint("GET", "/v1/jobs/{}") { try await $0.showJob($1) },
        Endpoint("POST", "/v1/jobs/{}/cancel") { try await $0.cancelJob($1) },
        Endpoint("POST", "/v1/jobs/{}/retry") { try await $0.retryJob($1) },
        Endpoint("POST", "/v1/jobs/{}/review") { try await $0.reviewJob($1) },
        Endpoint("GET", "/v1/jobs/{}/attempts") { try await $0.listAttempts($1) },
        Endpoint("GET", "/v1/results") { try await $0.results($1) },
    ]

    private static let groups = [
        Endpoint("GET", "/v1/queues") { try await $0.listQueues($1) },
        Endpoint("GET", "/v1/queues/{…}") { try await $0.showQueue($1) },
        Endpoint("PATCH", "/v1/queues/{…}") { try await $0.updateQueue($1) },
        Endpoint("GET", "/v1/routes") { try await $0.listRoutes($1) },
        Endpoint("PATCH", "/v1/routes/{…}") { try await $0.updateRoute($1) },
    ]

    private static let compatible = [
        Endpoint("POST", "/v1/messages", body: .job, errors: .messages) { try await $0.messages($1) },
        Endpoint("POST", "/v1/messages/count_tokens", body: .job, errors: .messages) {
            try await $0.countTokens($1)
        },
        Endpoint("POST", "/v1/messages/batches", body: .stream, errors: .messages) {
            try await $0.createMessageBatch($1)
        },
        Endpoint("GET", "/v1/messages/batches", errors: .messages) { try await $0.listMessageBatches($1) },
        Endpoint("GET", "/v1/messages/batches/{}", errors: .messages) { try await $0.showMessageBatch($1) },
        Endpoint("DELETE", "/v1/messages/batches/{}", errors: .messages) {
            try await $0.deleteMessageBatch($1)
        },
        Endpoint("POST", "/v1/messages/batches/{}/cancel", errors: .messages) {
            try await $0.cancelMessageBatch($1)
        },
        Endpoint("GET", "/v1/messages/batches/{}/results", errors: .messages) {
            try await $0.messageBatchResults($1)
        },
        Endpoint("POST", "/v1/chat/completions", body: .job, errors: .completions) {
            try await $0.completions($1)
        },
        Endpoint("GET", "/v1/models", errors: .messages) { try await $0.listModels($1) },
        Endpoint("GET", "/v1/models/{…}", errors: .messages) { try await $0.showModel($1) },
        Endpoint("POST", "/chat", body: .job, errors: .chat) { try await $0.chat($1) },
    ]

    private static let operations = [
        Endpoint("GET", "/v1/budgets") { try await $0.listBudgets($1) },
        Endpoint("PUT", "/v1/budgets/{}") { try await $0.setBudget($1) },
        Endpoint("DELETE", "/v1/budgets/{}") { try await $0.removeBudget($1) },
        Endpoint("POST", "/v1/budgets/{}/clear-unconfirmed") { try await $0.clearUnconfirmed($1) },
        Endpoint("GET", "/v1/events") { try await $0.listEvents($1) },
        Endpoint("GET", "/v1/settings") { try await $0.statedSettings($1) },
        Endpoint("GET", "/v1/stats") { try await $0.stats($1) },
        Endpoint("GET", "/metrics") { try await $0.metrics($1) },
        Endpoint("GET", "/health") { try await $0.health($1) },
        Endpoint("GET", "/ready") { try await $0.ready($1) },
        Endpoint("GET", "/openapi.json") { try await $0.description($1) },
        Endpoint("GET", "/") { try await $0.root($1) },
    ]
}
