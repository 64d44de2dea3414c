import CPQ

/// libpq, loaded from the system when it is first asked for.
enum Library {
    /// Debian's name for it, which holds for every libpq since 2006.
    static let file = "libpq.so.5"

    // Filled before anybody sees it, changed by nobody, and never freed.
    nonisolated(unsafe) private static let loaded = load(file)

    typealias Functions = UnsafePointer<cpq_functions>

    /// Throws `missingLibrary` with the package to install.
    static func functions() throws(PostgresError) -> Functions { try loaded.get() }

    static func load(_ file: String) -> Result<Functions, PostgresError> {
        var missing: UnsafePointer<CChar>?
        if let functions = cpq_load(file, &missing) { return .success(functions) }
        let reason =
            missing.map { "\(file) is too old: it lacks \(String(cString: $0))" }
            ?? "PostgreSQL's client library (\(file)) is not installed"
        return .failure(
            PostgresError(
                .missingLibrary,
                "\(reason). Install libpq 14 or newer; on Debian or Ubuntu: apt-get install -y libpq5"))
    }
}
