/// A setting as a person types it.
package struct SimulatorOption: Sendable {
    package let name: String
    package let `default`: String
    package let help: String
}

extension SimulatorSettings {
    /// Every option, in the order of a help text.
    package static let options: [SimulatorOption] = table.map(\.option)

    /// Reads options by name, each over its default; unknown names and wrong values are errors with their name.
    package init(options: [String: String]) throws(SettingError) {
        self.init()
        try update(options)
    }

    /// Changes the named options and leaves the others; on an error nothing is changed.
    package mutating func update(_ options: [String: String]) throws(SettingError) {
        var updated = self
        for (name, value) in options.sorted(by: { $0.key < $1.key }) {
            guard let entry = Self.table.first(where: { $0.option.name == Self.spelled(name) }) else {
                throw SettingError("\(name): no such option")
            }
            do { try entry.set(&updated, value) } catch {
                throw SettingError("\(name)=\(value): \(error.message)")
            }
        }
        self = updated
    }

    /// An option's name as `options` has it: JSON's habit of underscores is welcome too.
    static func spelled(_ name: String) -> String { String(name.map { $0 == "_" ? "-" : $0 }) }
}

private struct Entry: Sendable {
    let option: SimulatorOption
    let set: @Sendable (inout SimulatorSettings, String) throws(SettingError) -> Void

    init(
        _ name: String, _ value: String, _ help: String,
        _ set: @escaping @Sendable (inout SimulatorSettings, String) throws(SettingError) -> Void
    ) {
        option = SimulatorOption(name: name, default: value, help: help)
        self.set = set
    }
}

extension SimulatorSettings {
    private static let table: [Entry] = calling + limiting + failing + batching

    private static let calling: [Entry] = [
        Entry("seed", "0", "seed of all random choices") { settings, text throws(SettingError) in
            guard let seed = UInt64(text) else { throw SettingError("expected a whole number") }
            settings.seed = seed
        },
        Entry("keys", "", "accepted keys, separated by commas; any key if empty") {
            settings, text throws(SettingError) in
            settings.keys = text.split(separator: ",").map { trimmed($0) }
        },
        Entry("latency", "0", "median wait for the first token (200ms, 1.5s)") {
            settings, text throws(SettingError) in
            settings.latency.median = Double(try duration(text))
        },
        Entry("latency-sigma", "0.4", "spread of that wait (log-normal)") {
            settings, text throws(SettingError) in
            settings.latency.sigma = try number(text, 0...3)
        },
        Entry("latency-tail", "0", "share of calls that wait five to ten times as long") {
            settings, text throws(SettingError) in
            settings.latency.tail = try number(text, 0...1)
        },
        Entry("output-rate", "0", "output tokens per second, 0 for all at once") {
            settings, text throws(SettingError) in
            settings.latency.outputRate = try number(text, 0...1e9)
        },
        Entry("answer-tokens", "48", "usual length of an answer in tokens") {
            settings, text throws(SettingError) in
            settings.answerTokens = try count(text, 1...1_000_000)
        },
        Entry("journal-limit", "100000", "requests kept in detail by the journal") {
            settings, text throws(SettingError) in
            settings.journalLimit = try count(text, 1...10_000_000)
        },
    ]

    private static let limiting: [Entry] = [
        Entry("rpm", "0", "requests per minute, 0 for no limit") { settings, text throws(SettingError) in
            settings.limits.rpm = try count(text, 0...1_000_000_000)
        },
        Entry("itpm", "0", "input tokens per minute, 0 for no limit") { settings, text throws(SettingError) in
            settings.limits.itpm = try count(text, 0...1_000_000_000_000)
        },
        Entry("otpm", "0", "output tokens per minute, 0 for no limit") {
            settings, text throws(SettingError) in
            settings.limits.otpm = try count(text, 0...1_000_000_000_000)
        },
        Entry("burst-window", "0", "shorter window in which the limit of requests is enforced too (1s)") {
            settings, text throws(SettingError) in
            settings.limits.burstWindow = Double(try duration(text)) / 1000
        },
        Entry("output-policy", "generated", "which output tokens count: generated, or reserved (max_tokens)")
        {
            settings, text throws(SettingError) in
            guard ["generated", "reserved"].contains(text) else {
                throw SettingError("expected generated or reserved")
            }
            settings.limits.reservesOutput = text == "reserved"
        },
    ]

    private static let failing: [Entry] = [
        Entry("faults", "", "FAULT[:TRIGGER],… such as 500:0.01,529:#5-9,reset:%100") {
            settings, text throws(SettingError) in
            settings.faults = try FaultPlan(text: text)
        },
        Entry("outage", "", "FROM+FOR:FAULT,… such as 10s+30s:529") { settings, text throws(SettingError) in
            settings.outages = try Outage.list(text: text)
        },
        Entry("stall", "1h", "how long a stalled call stays silent") { settings, text throws(SettingError) in
            settings.stall = try duration(text)
        },
        Entry("ping", "10s", "time between pings while a stream waits") {
            settings, text throws(SettingError) in
            settings.ping = max(1, try duration(text))
        },
    ]

    private static let batching: [Entry] = [
        Entry("batch-turnaround", "1m", "time in which a message batch is done, or MIN..MAX") {
            settings, text throws(SettingError) in
            settings.batches.turnaround = try range(text)
        },
        Entry("batch-window", "24h", "rows of a batch that are not done after this time expire") {
            settings, text throws(SettingError) in
            settings.batches.window = max(1, try duration(text))
        },
        Entry("batch-stuck", "0", "share of a batch's rows that are never done") {
            settings, text throws(SettingError) in
            settings.batches.stuckShare = try number(text, 0...1)
        },
        Entry("batch-cancel-time", "5s", "how long a batch stays canceling") {
            settings, text throws(SettingError) in
            settings.batches.cancelTime = try duration(text)
        },
        Entry("batch-rpm", "1000", "requests per minute on the endpoints of batches, 0 for no limit") {
            settings, text throws(SettingError) in
            settings.batches.rpm = try count(text, 0...1_000_000_000)
        },
        Entry("batch-queue", "200000", "rows that may wait in all batches together") {
            settings, text throws(SettingError) in
            settings.batches.queue = try count(text, 1...BatchQueue.maximumRows)
        },
        Entry("batch-faults", "", "OPERATION=FAULT[:TRIGGER],… as create=drop-after:#1,results=truncate:0.5")
        {
            settings, text throws(SettingError) in
            settings.batches.faults = try BatchFaults(text: text)
        },
    ]
}

private func duration(_ text: String) throws(SettingError) -> Int64 {
    guard let value = milliseconds(text) else {
        throw SettingError("expected a duration, as 500ms, 30s or 2h")
    }
    return value
}

private func range(_ text: String) throws(SettingError) -> ClosedRange<Int64> {
    guard let dots = text.utf8.firstRange(of: "..".utf8) else {
        let time = try duration(text)
        return time...time
    }
    let (shortest, longest) = (
        try duration(String(text[..<dots.lowerBound])), try duration(String(text[dots.upperBound...]))
    )
    guard shortest <= longest else { throw SettingError("expected the shorter time first, as 30s..2m") }
    return shortest...longest
}

private func number(_ text: String, _ range: ClosedRange<Double>) throws(SettingError) -> Double {
    guard let value = Double(text), range.contains(value) else {
        throw SettingError("expected a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
}

private func count(_ text: String, _ range: ClosedRange<Int>) throws(SettingError) -> Int {
    guard let value = Int(text), range.contains(value) else {
        throw SettingError("expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
}
