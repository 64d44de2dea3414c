/// The settings in force, with the buckets and the moment that belong to them.
final class Plan: Sendable {
    let settings: SimulatorSettings
    let limiter: RateLimiter
    /// Uptime in milliseconds from which outages count.
    private let since: Int64

    init(_ settings: SimulatorSettings, limiter: RateLimiter? = nil, since: Int64) {
        self.settings = settings
        self.limiter = limiter ?? RateLimiter(settings.limits)
        self.since = since
    }

    func changed(to settings: SimulatorSettings, restartsOutages: Bool, now: Int64) -> Plan {
        Plan(
            settings, limiter: settings.limits == self.settings.limits ? limiter : nil,
            since: restartsOutages ? now : since)
    }

    /// What goes wrong with a call: as its prompt asks, else as an outage has it, else as chance has it.
    func fault(_ marker: Marker?, _ ticket: Journal.Ticket, at now: Int64, _ random: inout SeededRandom)
        -> Fault?
    {
        if let fault = marker?.fault { return ticket.repetition <= marker?.times ?? 0 ? fault : nil }
        if let outage = settings.outages.first(where: { $0.window.contains(now - since) }) {
            return outage.fault
        }
        return settings.faults.fault(number: ticket.number, &random)
    }
}
