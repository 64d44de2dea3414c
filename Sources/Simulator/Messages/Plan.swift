/// The settings in force, with the buckets and the moment that belong to them.
final class Plan: Sendable {
    let settings: SimulatorSettings
    let limiter: RateLimiter
    let gate: BatchGate
    /// Uptime in milliseconds from which outages count.
    private let since: Int64

    init(
        _ settings: SimulatorSettings, limiter: RateLimiter? = nil, gate: BatchGate? = nil, since: Int64
    ) {
        self.settings = settings
        self.limiter = limiter ?? RateLimiter(settings.limits)
        self.gate = gate ?? BatchGate(settings.batches)
        self.since = since
    }

    /// What the names tell is set again, though it may be as before, starts again.
    func changed(to settings: SimulatorSettings, naming names: [String], now: Int64) -> Plan {
        let keepsGate =
            settings.batches.rpm == self.settings.batches.rpm && !names.contains("batch-faults")
        return Plan(
            settings, limiter: settings.limits == self.settings.limits ? limiter : nil,
            gate: keepsGate ? gate : nil, since: names.contains("outage") ? now : since)
    }

    /// What goes wrong with a call: as its prompt asks, else as an outage has it, else as chance has it.
    func fault(_ marker: Marker?, _ ticket: Journal.Ticket, at now: Int64, _ random: inout SeededRandom)
        -> Fault?
    {
        if let marker, marker.fault != nil { return marker.fault(ofRepetition: ticket.repetition) }
        return outage(at: now) ?? settings.faults.fault(number: ticket.number, &random)
    }

    /// The same for a request to the endpoints of batches.
    func batchFault(_ operation: BatchOperation, at now: Int64, _ random: inout SeededRandom) -> Fault? {
        let fault = gate.fault(operation, &random)
        return outage(at: now) ?? fault
    }

    private func outage(at now: Int64) -> Fault? {
        settings.outages.first { $0.window.contains(now - since) }?.fault
    }
}
