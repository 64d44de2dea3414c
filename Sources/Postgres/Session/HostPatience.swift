/// In which order the hosts of a cluster are asked for a connection, and how long each is waited for.
///
/// One that is cut off says nothing. It would hold up each look at those that could take over from it: so it is asked last, and waited for
/// little longer than the others took, but for one look in half a minute.
struct HostPatience {
    typealias Host = ConnectionSettings.Host

    private let full: Int64
    /// When each silent host was last waited for in full.
    private var waitedFor: [Host: Int64] = [:]
    /// The longest that a host took to answer since the hosts were put in order.
    private var slowest: Int64?

    private static let least: Int64 = 250
    private static let fullEvery: Int64 = 30_000

    init(_ settings: ConnectionSettings) {
        full = Int64(settings.connectTimeoutMilliseconds)
    }

    /// Begins anew to measure how long answers take.
    mutating func order(_ hosts: [Host]) -> [Host] {
        slowest = nil
        return hosts.filter { waitedFor[$0] == nil } + hosts.filter { waitedFor[$0] != nil }
    }

    /// In milliseconds.
    func limit(for host: Host, at now: Int64) -> Int64 {
        guard let last = waitedFor[host], let slowest, now - last < Self.fullEvery else { return full }
        return min(full, max(Self.least, slowest * 4))
    }

    /// That it was asked then, waited for at most so long, and connected or refused by now.
    mutating func note(_ host: Host, askedAt: Int64, limit: Int64, now: Int64) {
        let took = now - askedAt
        if took < limit {
            waitedFor[host] = nil
            slowest = max(slowest ?? 0, took)
        } else if limit == full {
            waitedFor[host] = now
        }
    }
}
