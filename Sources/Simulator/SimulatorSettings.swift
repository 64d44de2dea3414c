/// How the simulator behaves; every field is also an option by name, see `SimulatorSettings.options`.
package struct SimulatorSettings: Sendable, Equatable {
    /// Limits per minute, 0 for none; one set of buckets per class of models.
    package struct Limits: Sendable, Equatable {
        package var rpm = 0
        package var itpm = 0
        package var otpm = 0
        /// Seconds over which requests per minute are enforced besides the minute; 0 for the minute alone.
        package var burstWindow = 0.0
        /// Whether `max_tokens` are reserved at admission, as before 2026, or only what is generated counts.
        package var reservesOutput = false

        package init(rpm: Int = 0, itpm: Int = 0, otpm: Int = 0) {
            self.rpm = rpm
            self.itpm = itpm
            self.otpm = otpm
        }

        var areSet: Bool { rpm > 0 || itpm > 0 || otpm > 0 }
    }

    package var seed: UInt64 = 0
    /// Keys that are let in; empty for any that is not empty.
    package var keys: [String] = []
    package var latency = LatencyModel()
    package var limits = Limits()
    package var faults = FaultPlan()
    package var batches = BatchSettings()
    package var outages: [Outage] = []
    /// The usual length of a free answer.
    package var answerTokens = 48
    /// How long stalled calls stay silent, in milliseconds.
    package var stall: Int64 = 3_600_000
    /// Milliseconds between pings while a stream waits.
    package var ping: Int64 = 10_000
    /// Requests the journal keeps in detail; its counts are exact beyond.
    package var journalLimit = 100_000

    package init() {}
}
