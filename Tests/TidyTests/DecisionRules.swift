/// What becomes of jobs is decided by pure code, over what a store has loaded; a store loads, applies and searches.
enum DecisionRules {
    /// All that decisions know.
    static let imports: Set<String> = ["Jobs", "JSON"]

    /// The toolchain's modules are not among them: no files, no threads, no clocks.
    static let fewImports = Rule("The rules of stores import Jobs and JSON only") { code, file in
        guard file.module == "StoreRules", let module = ImportRules.importedModule(code) else { return nil }
        // Not a decision, but what both stores gather settlements by.
        let gathers = file.path.hasSuffix("/OperationBatcher.swift") && module == "Synchronization"
        return imports.contains(module) || gathers
            ? nil : "decisions are pure: let the store read \(module) and hand over what it says"
    }

    /// The standard library's clocks and random numbers need no import.
    static let nothingFromOutside = Rule("The rules of stores have no clock and no chance of their own") {
        code, file in
        guard file.module == "StoreRules" else { return nil }
        if code.contains(#/ContinuousClock|SuspendingClock|\.now\(\)|Task\.sleep/#) {
            return "time comes in as an argument: take a Now"
        }
        let draws = code.contains(#/\.random\(|\.randomElement\(|\.shuffled\(/#) && !code.contains("using:")
        // What a store draws from is no decision, and its settings have the standard one.
        let isSettings = file.path.hasSuffix("/StoreSettings.swift")
        return draws || !isSettings && code.contains("SystemRandom")
            ? "randomness comes in as an argument: draw `using:` the generator given" : nil
    }

    static let storesDecideNothing = Rule("Stores decide nothing") { code, file in
        guard file.module.hasPrefix("JobStore"), let call = code.firstMatch(of: decision)
        else { return nil }
        return "\(call.0) decides: ask StoreRules, over what the store has loaded"
    }

    private static var decision: Regex<Substring> {
        #/\.admission\(|worstCase\(|RetryPolicy|\.passage\(|\.waitReason|\.opensByItself|Gates\(|\.next\(among:|\.choose\(|\.lack\(|\.pace\(|\.bottleneck\(|\.refusal\(ofWorkers/#
    }
}
