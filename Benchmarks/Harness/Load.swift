import HTTPClient
import Synchronization
import System

/// A closed loop of requests over so many connections, each sent when the answer before it is there.
///
/// It runs in this process, and takes its share of the processors that the server could have had.
final class Load: Sendable {
    struct Result: Sendable {
        var count: Int
        var seconds: Double
        var latencies: Latencies
        /// This process's own processor time.
        var cpuSeconds: Double

        var rate: Double { Double(count) / seconds }
    }

    private let connections: Int
    private let seconds: Double
    private let status: Int
    private let client = HTTPClient()
    private let numbers = Atomic<Int>(0)

    init(seconds: Double, expecting status: Int, connections: Int = 64) {
        self.connections = connections
        self.seconds = seconds
        self.status = status
    }

    /// Any status but the one expected stops it with an error.
    func run(_ request: @escaping @Sendable (Int) -> HTTPRequest) async throws -> Result {
        _ = try await loop(for: min(0.5, seconds / 4), request)
        let cpu = processCPUSeconds()
        let clock = ContinuousClock()
        let start = clock.now
        let latencies = try await loop(for: seconds, request)
        return Result(
            count: latencies.count, seconds: (clock.now - start).seconds, latencies: Latencies(latencies),
            cpuSeconds: processCPUSeconds() - cpu)
    }

    private func loop(
        for seconds: Double, _ request: @escaping @Sendable (Int) -> HTTPRequest
    ) async throws -> [Double] {
        let end = ContinuousClock.now + .seconds(seconds)
        return try await withThrowingTaskGroup(of: [Double].self) { group in
            for _ in 0..<connections { group.addTask { try await self.caller(until: end, request) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func caller(
        until end: ContinuousClock.Instant, _ request: @Sendable (Int) -> HTTPRequest
    ) async throws -> [Double] {
        var latencies: [Double] = []
        var now = ContinuousClock.now
        while now < end {
            let number = numbers.wrappingAdd(1, ordering: .relaxed).newValue
            let response = try await client.send(request(number))
            guard response.status == status else {
                throw BenchmarkError(
                    "status \(response.status): \(String(decoding: response.body, as: UTF8.self))")
            }
            let answered = ContinuousClock.now
            latencies.append((answered - now).milliseconds)
            now = answered
        }
        return latencies
    }
}
