import Crypto
package import HTTPServer
package import Jobs

/// What the API is told at its start.
package struct APISettings: Sendable {
    /// Where jobs go that name no model.
    package var service: ServiceKey
    /// Leads the model that a job asks for to its route.
    package var routes: RouteTable
    /// SHA-256 digests of the keys that callers may present; none means that everybody may call.
    package private(set) var keyDigests: [[UInt8]]
    package var model: String
    package var maxTokens: Int
    package var maxAttempts: Int
    /// False turns every job's `cache` to `off`.
    package var cacheEnabled: Bool
    /// Browsers' origins that may change something; requests of other origins are refused.
    package var allowedOrigins: [String]
    /// Names and addresses, besides those of loopback, that callers may know the server by if no key is asked for.
    package var allowedHosts: [String] = []
    /// Settings as they count, by their names, for `GET /v1/settings`; nil if one is unset.
    package var stated: [(name: String, value: String?)] = []
    /// Shared with the server, which counts the bodies that it collects.
    package var bodyMemory = BodyMemory(limit: 512 << 20)
    package var version: String
    /// What jobs may cost, for `max_cost_usd` and forecasts.
    package var prices: PriceTable
    package var limits: APILimits
    /// When jobs wait for a batch of their provider.
    package var halfPrice = HalfPriceTerms()
    /// Requests per minute of one caller; nil for no limit.
    package var clientRequestsPerMinute: Int?
    /// Requests of one caller under way at once; the server's own limit of connections lies above it.
    package var clientRequestsAtOnce = 1500
    /// How long interactive calls wait for their turn before they are told to come back later.
    package var interactiveWait: Milliseconds = 60_000
    /// Whether interactive calls that say nothing of it use the cache.
    package var interactiveUsesCache = false

    /// How interactive calls treat cached answers if they do not say.
    var interactiveCache: CacheMode { cacheEnabled && interactiveUsesCache ? .use : .off }

    /// `apiKeys` come in the clear; only their digests are kept.
    ///
    /// Without `routes` every model is the service's.
    package init(
        service: ServiceKey, routes: RouteTable? = nil, apiKeys: [String] = [],
        model: String = "claude-haiku-4-5-20251001",
        maxTokens: Int = 1024, maxAttempts: Int = 4, cacheEnabled: Bool = true, allowedOrigins: [String] = [],
        version: String = "0", prices: PriceTable = .standard, limits: APILimits = APILimits()
    ) {
        self.service = service
        self.routes = routes ?? RouteTable(service: service)
        self.keyDigests = apiKeys.map { SHA256.hash(Array($0.utf8)) }
        self.model = model
        self.maxTokens = maxTokens
        self.maxAttempts = maxAttempts
        self.cacheEnabled = cacheEnabled
        self.allowedOrigins = allowedOrigins
        self.version = version
        self.prices = prices
        self.limits = limits
    }
}

/// Every limit that a caller can meet; sizes in bytes.
package struct APILimits: Sendable {
    /// One job with its documents: what the provider itself takes in a request.
    package var jobBytes = 32 << 20
    /// A list of jobs: it is parsed as one document, which costs several times its size in memory.
    package var listBytes = 64 << 20
    /// Everything else that has a body: small objects.
    package var formBytes = 64 << 10
    /// Jobs in one list: it is one transaction, which others wait for.
    package var listJobs = 1_000
    /// One line of a bulk upload: a job.
    package var lineBytes = 32 << 20
    /// Lines of one bulk upload: the answers to them are kept, nine bytes each, until it has ended.
    package var bulkLines = 20_000_000
    /// What the details of errors in one bulk upload may take; later ones are answered in brief.
    package var bulkErrorBytes = 64 << 20
    /// Lines, and bytes, that go into the store at once.
    package var bulkChunkLines = 500
    package var bulkChunkBytes = 8 << 20
    package var jsonDepth = 128
    package var waitSeconds = 60
    package var pageDefault = 50
    package var pageMost = 500
    /// A page with bodies ends early beyond this.
    package var pageBytes = 16 << 20
    /// Jobs that one call of the store cancels or retries.
    package var changeChunk = 500

    package init() {}
}

/// Limits of what a job may say.
enum JobLimits {
    static let nameBytes = 1...128
    static let customIDBytes = 1...256
    static let modelBytes = 1...256
    static let priority = -100...100
    static let maxAttempts = 1...100
    static let sample = 0...1000
    static let tags = 20
    static let tagBytes = 1...64
    static let metadataBytes = 16 << 10
    static let idempotencyKeyBytes = 1...255
    static let concurrency = 1...100_000
    static let weight = 1...1000
    /// A queue's that nobody has given another; the store's new ones have the same.
    static let standardWeight = 100
    /// Far above any model's, and small enough that prices times tokens never overflow.
    static let maxTokens = 1...10_000_000
    /// In a request 0 fills the provider's prompt cache, and gets no answer.
    static let requestMaxTokens = 0...10_000_000
}
