import Synchronization

/// What guards the batch endpoints: a limit of their own, and their faults.
final class BatchGate: Sendable {
    private let limiter: RateLimiter
    private let faults: BatchFaults
    private let counts = Mutex<[BatchOperation: Int]>([:])

    init(_ settings: BatchSettings) {
        limiter = RateLimiter(SimulatorSettings.Limits(rpm: settings.rpm))
        faults = settings.faults
    }

    /// Batches take nothing from the limits of Messages, nor those from theirs.
    func admit(at uptime: Int64) throws(APIError) {
        do {
            _ = try limiter.admit("batches", input: 0, maxTokens: 0, at: uptime)
        } catch {
            var refusal = APIError(
                429, "rate_limit_error",
                "This request would exceed your organization's rate limit of \(error.limit) requests per minute "
                    + "to the Message Batches API.")
            refusal.headers["retry-after"] = String(max(1, (error.milliseconds + 999) / 1000))
            throw refusal
        }
    }

    /// Counts the request, and tells what goes wrong with it.
    func fault(_ operation: BatchOperation, _ random: inout SeededRandom) -> Fault? {
        let number = counts.withLock { counts in
            counts[operation, default: 0] += 1
            return counts[operation, default: 0]
        }
        return faults.fault(operation, number: number, &random)
    }
}
