extension RouteGate {
    /// What a job that waits for the gate is said to wait for.
    package var waitReason: WaitingFor.Reason {
        switch state {
        case .open, .rateLimited: .rateLimit
        case .broken: .breaker
        case .credential, .forbidden: .pause
        case .spendCap: .providerSpendLimit
        }
    }

    /// Why it is closed, for people.
    package var explanation: String {
        switch state {
        case .open: "open"
        case .rateLimited:
            "the provider asked to wait (429)"
                + (untilDate.map { " until \($0.text); from time to time one call tries whether it must be" }
                    ?? "")
        case .broken:
            "the provider does not answer or is overloaded; one call at a time tries whether it is back"
        case .credential: "the provider refuses the API key (401); it is tried again every few seconds"
        case .forbidden: "the provider forbids this model to the API key (403)"
        case .spendCap:
            "the provider's spend limit is reached: raise it or add credit in the provider's console; one call at a time tries it again"
                + (untilDate.map { ", and it ends at \($0.text) at the latest" } ?? "")
        }
    }
}
