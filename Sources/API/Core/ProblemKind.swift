import Jobs

extension Problem {
    /// Every way in which the API says no: its name in `type`, its status, its title.
    ///
    /// `docs/http-api.md` lists each; a test compares the two.
    enum Kind: String, Sendable, CaseIterable {
        case missingBody = "missing-body"
        case invalidJSON = "invalid-json"
        case unknownField = "unknown-field"
        case missingField = "missing-field"
        case invalidField = "invalid-field"
        case unknownParameter = "unknown-parameter"
        case invalidParameter = "invalid-parameter"
        case invalidHeader = "invalid-header"
        case invalidPath = "invalid-path"
        case invalidRequest = "invalid-request"
        case uploadCut = "upload-cut"
        case unauthorized
        case originNotAllowed = "origin-not-allowed"
        case hostNotAllowed = "host-not-allowed"
        case notFound = "not-found"
        case unknownJob = "unknown-job"
        case unknownBatch = "unknown-batch"
        case unknownRoute = "unknown-route"
        case unknownQueue = "unknown-queue"
        case unknownBudget = "unknown-budget"
        case unknownModel = "unknown-model"
        case methodNotAllowed = "method-not-allowed"
        case timeout
        case wrongState = "wrong-state"
        case statedByConfiguration = "stated-by-configuration"
        case customIDTaken = "custom-id-taken"
        case bodyTooLarge = "body-too-large"
        case tooManyJobs = "too-many-jobs"
        case lineTooLong = "line-too-long"
        case idempotencyMismatch = "idempotency-mismatch"
        case tooExpensive = "too-expensive"
        case requirementUnmet = "requirement-unmet"
        case limitReached = "limit-reached"
        case slowDown = "slow-down"
        case headersTooLarge = "headers-too-large"
        case `internal`
        case notReady = "not-ready"
        case overloaded
        case providerDown = "provider-down"
        case storeUnavailable = "store-unavailable"
        case storeFull = "store-full"
    }
}

extension Problem.Kind {
    var status: Int {
        switch self {
        case .missingBody, .invalidJSON, .unknownField, .missingField, .invalidField, .unknownParameter,
            .invalidParameter, .invalidHeader, .invalidPath, .invalidRequest, .uploadCut:
            400
        case .unauthorized: 401
        case .originNotAllowed, .hostNotAllowed: 403
        case .notFound, .unknownJob, .unknownBatch, .unknownRoute, .unknownQueue, .unknownBudget,
            .unknownModel:
            404
        case .methodNotAllowed: 405
        case .timeout: 408
        case .wrongState, .customIDTaken, .statedByConfiguration: 409
        case .bodyTooLarge, .tooManyJobs, .lineTooLong: 413
        case .idempotencyMismatch, .tooExpensive, .requirementUnmet: 422
        case .limitReached, .slowDown: 429
        case .headersTooLarge: 431
        case .internal: 500
        case .notReady, .overloaded, .providerDown, .storeUnavailable: 503
        case .storeFull: 507
        }
    }

    /// Whether the same request gets the same answer again.
    var isFinal: Bool { (400..<500).contains(status) && status != 408 && status != 429 }

    var title: String {
        switch self {
        case .missingBody: "The request has no body"
        case .invalidJSON: "The body is not valid JSON"
        case .unknownField: "A field is not known"
        case .missingField: "A field is missing"
        case .invalidField: "A field has a wrong value"
        case .unknownParameter: "A query parameter is not known"
        case .invalidParameter: "A query parameter has a wrong value"
        case .invalidHeader: "A header has a wrong value"
        case .invalidPath: "The path cannot be read"
        case .invalidRequest: "The request cannot be read"
        case .uploadCut: "The upload ended early"
        case .unauthorized: "The API key is missing or wrong"
        case .originNotAllowed: "Pages of this origin may not call"
        case .hostNotAllowed: "This server does not go by that name"
        case .notFound: "There is nothing at this path"
        case .unknownJob: "There is no such job"
        case .unknownBatch: "There is no such batch"
        case .unknownRoute: "There is no such route"
        case .unknownQueue: "There is no such queue"
        case .unknownBudget: "There is no such budget"
        case .unknownModel: "There is no such model"
        case .methodNotAllowed: "This path does not take this method"
        case .timeout: "The request took too long"
        case .wrongState: "The job's state does not allow this"
        case .customIDTaken: "Another job has this custom_id"
        case .statedByConfiguration: "The configuration file states this, and only there it changes"
        case .bodyTooLarge: "The body is too large"
        case .tooManyJobs: "There are too many jobs in one request"
        case .lineTooLong: "The line is too long"
        case .idempotencyMismatch: "The idempotency key came with another body before"
        case .tooExpensive: "The job may cost more than its max_cost_usd"
        case .requirementUnmet: "The job lacks what its queue requires"
        case .limitReached: "A limit is reached"
        case .slowDown: "Too many requests from this client"
        case .headersTooLarge: "The headers are too large"
        case .internal: "Something went wrong in renga"
        case .notReady: "Not ready to serve"
        case .overloaded: "Too many requests at once"
        case .providerDown: "The provider does not answer"
        case .storeUnavailable: "The database cannot be used"
        case .storeFull: "The database's disk is full"
        }
    }
}

extension Problem {
    /// What the store's errors are to callers; its own words go to the log, as they may name paths.
    init(_ error: JobStoreError) {
        switch error.code {
        case .full:
            self.init(
                .storeFull,
                "the disk that holds the database is full, and nothing was changed: free some space and try again"
            )
        case .unavailable:
            self.init(
                .storeUnavailable, "the database, its disk or the way to it failed; the log says how")
        case .locked:
            self.init(
                .storeUnavailable,
                "another program holds the database's write lock; end it, such as a shell with an open transaction"
            )
        case .schemaTooNew:
            self.init(.storeUnavailable, error.message)
        case .unsuitable:
            self.init(
                .storeUnavailable,
                "the database file cannot be used; the log says why. A backup is put in its place with `renga restore`"
            )
        case .moved:
            self.init(
                .storeUnavailable,
                "the database file was moved or deleted; put it back, or start the server anew with another")
        case .closed:
            self.init(.storeUnavailable, "this server is stopping; try again in a moment")
        case .statedByConfiguration: self.init(.statedByConfiguration, error.message)
        case .superseded: self.init(.notReady, error.message)
        case .internal:
            self.init(
                .internal, "the request was not carried out; the log has the details under this request id")
        }
        if kind != .internal, kind != .statedByConfiguration { headers = [("retry-after", "5")] }
    }
}
