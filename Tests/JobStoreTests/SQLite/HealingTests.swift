import Jobs
import SQLite
import TestSupport
import Testing

@testable import StoreConformance

/// Rows that were written wrongly.
@Suite struct HealingTests {
    @Test func `rows that hold absurd numbers heal when they are read`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            let limits = RouteLimits(requests: 1000, inputTokens: 50_000, outputTokens: 10_000)
            try await harness.store.configure(route: Sample.route, limits: limits)
            try await harness.enqueue(try Sample.jobs(9))
            for attempt in try await harness.claim(2) { try await harness.succeed(attempt) }
            let rows = try Connection(path: harness.file.directory.database, mode: .write)
            try rows.execute(
                """
                UPDATE bucket SET level = -9e18, at = 9223372036854775807 WHERE kind = 'requests';
                UPDATE bucket SET level = -9e999, per_minute = 9223372036854775807, reserved = 9e999
                WHERE kind = 'input_tokens';
                UPDATE bucket SET level = 9e999 WHERE kind = 'output_tokens';
                UPDATE route
                SET gate = 'rate_limited', gate_boot = 7, gate_until = 99000000, gate_trips = 9223372036854775807,
                    gate_failures = 9223372036854775807, window = 9e999, window_threshold = -9e999,
                    input_per_byte = 9e999, high_output = 9e999, mean_call = -9e999, answers = 9223372036854775807,
                    open_input = 9e999, ramp_boot = 7, ramp_from = 9223372036854775807
                """)
            _ = try await harness.store.routes()
            _ = try await harness.store.stats()
            let (attempt, waited) = try await HostileLimitTests.next(harness)
            #expect(waited <= 60_010)
            try await harness.succeed(attempt, limits: HostileLimitTests.honest)
            harness.clock.advance(60_000)
            #expect(try await harness.claim(2).count == 2)
        }
    }
}
