/// How the processes of one database come to go by one configuration; the rules of `Store` hold.
package protocol ConfigurationStating: Store {
    /// States a configuration for all processes, and has this one go by it.
    ///
    /// Throws `JobStoreError.superseded` if a newer one is in force; with `adopting`, this one is in force again. Returns
    /// whether it is news.
    @discardableResult
    func state(_ stated: StatedConfiguration, adopting: Bool) async throws -> Bool
    /// What is in force of files, if it is not what this process goes by; nil if it is.
    func supersedingConfiguration() async throws -> ConfigurationStatement.Made?
    /// Has this process go by a file that it read again, from its next operation on.
    func goBy(_ file: ConfiguredTerms)
    /// What this process goes by now.
    var prices: PriceTable { get }
}

/// What a process brings: what its file says, what its environment says of budgets, and both as they count.
package struct StatedConfiguration: Sendable {
    package var file: ConfigurationStatement
    package var environment: [ConfigurationStatement]
    /// All budgets that are stated; those of the file by their names.
    package var budgets: [Budget]
    package var budgetsOfFile: Set<String>
    /// Names of budgets that the environment takes out of force.
    package var removed: [String]

    package init(
        file: ConfigurationStatement, environment: [ConfigurationStatement] = [], budgets: [Budget] = [],
        budgetsOfFile: Set<String> = [], removed: [String] = []
    ) {
        self.file = file
        self.environment = environment
        self.budgets = budgets
        self.budgetsOfFile = budgetsOfFile
        self.removed = removed
    }
}

/// What decisions take from a file.
package struct ConfiguredTerms: Sendable {
    /// Of the file's statement; empty without a file.
    package var fingerprint: String
    package var prices: PriceTable
    /// Which routes may answer in another's place.
    package var fallbacks: FallbackChains

    package init(fingerprint: String, prices: PriceTable, fallbacks: FallbackChains) {
        self.fingerprint = fingerprint
        self.prices = prices
        self.fallbacks = fallbacks
    }
}
