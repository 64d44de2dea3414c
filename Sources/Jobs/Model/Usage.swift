/// What one answered call used, in tokens, as the provider counted.
package struct Usage: Hashable, Sendable {
    /// Input after the last cache breakpoint only; cache writes and reads are counted apart.
    package var inputTokens: Int64
    package var outputTokens: Int64
    /// All cache writes; `cacheWrite1hTokens` of them live for an hour, the rest for five minutes.
    package var cacheWriteTokens: Int64
    package var cacheWrite1hTokens: Int64
    package var cacheReadTokens: Int64
    /// Answered in the provider's batch tier, at half the price.
    package var isBatch: Bool
    /// Answered within the United States only, which newer models charge more for.
    package var isInUS: Bool
    /// Searches that the provider made on the web for the answer, each with a fee beside its tokens.
    package var webSearches: Int64
    /// False if a stream broke before the last counts came: the output may have been more.
    package var isComplete: Bool

    package init(
        inputTokens: Int64 = 0, outputTokens: Int64 = 0, cacheWriteTokens: Int64 = 0,
        cacheWrite1hTokens: Int64 = 0,
        cacheReadTokens: Int64 = 0, isBatch: Bool = false, isInUS: Bool = false, webSearches: Int64 = 0,
        isComplete: Bool = true
    ) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.cacheWriteTokens = cacheWriteTokens
        self.cacheWrite1hTokens = cacheWrite1hTokens
        self.cacheReadTokens = cacheReadTokens
        self.isBatch = isBatch
        self.isInUS = isInUS
        self.webSearches = webSearches
        self.isComplete = isComplete
    }

    /// What counts against an input-tokens-per-minute limit: cache reads are exempt.
    package var limitedInputTokens: Int64 { inputTokens + cacheWriteTokens }
}
