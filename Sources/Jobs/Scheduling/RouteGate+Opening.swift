/// When a closed gate opens, for people and for forecasts.
extension RouteGate {
    /// Whether time alone opens it: a wait that the provider asked for ends, while what is broken, refused or unpaid must
    /// change first.
    package var opensByItself: Bool { state == .open || state == .rateLimited }

    /// The moment at which it opens; nil if it is unknown.
    ///
    /// The next probe, which `wait` may be the time to, promises nothing and is not named.
    package func opening(after wait: Milliseconds?, now: Timestamp) -> Timestamp? {
        switch state {
        case .open, .rateLimited: wait.map { now + $0 }
        case .spendCap: untilDate
        case .broken, .credential, .forbidden: nil
        }
    }
}
