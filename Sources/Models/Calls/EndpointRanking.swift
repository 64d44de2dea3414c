package import Jobs

/// Which of a service's base URLs the next call goes to: the fastest that is well; pure.
///
/// Latency is a running mean of whole calls. Those that are not the best get a call now and then, so that a change is
/// noticed; one that is ill gets one when its time has come, and the call then moves on to the next at once.
package struct EndpointRanking: Sendable {
    package enum Report: Sendable {
        /// It answered, whatever it said; with how long a whole answer took.
        case answered(after: Milliseconds?)
        /// It could not be reached.
        case unreachable
        /// It answered with 5xx.
        case failed
        /// The connection broke, or nothing came, after the request was sent.
        case cut
    }

    package struct Endpoint: Sendable {
        package let url: String
        /// Milliseconds; nil before its first answer.
        package var latency: Double?
        /// Calls in a row that failed or were cut.
        var failures = 0
        /// How often in a row it fell ill: the exponent of the next wait.
        var relapses = 0
        var illUntil: Milliseconds?
        var triedAt: Milliseconds?
        var isOnTrial = false

        package var isWell: Bool { illUntil == nil }
    }

    package private(set) var endpoints: [Endpoint]

    /// One failure is the call's affair, two in a row are the endpoint's.
    static let failuresOfTheIll = 2
    static let firstRest: Milliseconds = 1000
    static let longestRest: Milliseconds = 60_000
    /// So long after its last call one that is not the best gets one.
    static let sampleEvery: Milliseconds = 15_000
    /// How much a new measurement counts.
    static let share = 0.2

    package init(_ urls: [String]) {
        precondition(!urls.isEmpty, "a service has an endpoint")
        endpoints = urls.map { Endpoint(url: $0) }
    }

    /// The endpoints from the best on: well before ill, measured by their latency, as configured if alike.
    package var ranked: [Int] {
        endpoints.indices.sorted { left, right in
            let (a, b) = (endpoints[left], endpoints[right])
            if a.isWell != b.isWell { return a.isWell }
            if let first = a.latency, let second = b.latency, first != second { return first < second }
            return a.latency != nil && b.latency == nil
                ? true : a.latency == nil && b.latency != nil ? false : left < right
        }
    }

    /// In which order to try them for one call, the one that is due for a trial first; notes that it is tried.
    package mutating func order(at now: Milliseconds) -> [Int] {
        var order = ranked
        let trial = order.dropFirst().first { isDue($0, at: now) }
        if let trial {
            order.removeAll { $0 == trial }
            order.insert(trial, at: 0)
        }
        let first = order[0]
        endpoints[first].triedAt = now
        // While the trial of an ill one is under way nobody else tries it.
        if let until = endpoints[first].illUntil {
            endpoints[first].isOnTrial = true
            endpoints[first].illUntil = max(until, now + rest(of: first))
        }
        return order
    }

    private func isDue(_ index: Int, at now: Milliseconds) -> Bool {
        let endpoint = endpoints[index]
        if let until = endpoint.illUntil { return until <= now }
        guard let tried = endpoint.triedAt else { return true }
        return now - tried >= Self.sampleEvery
    }

    private func rest(of index: Int) -> Milliseconds {
        min(Self.longestRest, Self.firstRest << Milliseconds(min(endpoints[index].relapses, 6)))
    }

    /// Learns from one call; true if an endpoint fell ill or got well.
    package mutating func note(_ report: Report, of index: Int, at now: Milliseconds) -> Bool {
        let wasWell = endpoints[index].isWell
        switch report {
        case .answered(let latency):
            if let latency { measure(Double(latency), of: index) }
            endpoints[index].failures = 0
            endpoints[index].relapses = 0
            endpoints[index].illUntil = nil
            endpoints[index].isOnTrial = false
        case .unreachable:
            fallIll(index, at: now)
        case .failed, .cut:
            endpoints[index].failures += 1
            if !wasWell || endpoints[index].failures >= Self.failuresOfTheIll { fallIll(index, at: now) }
        }
        return wasWell != endpoints[index].isWell
    }

    private mutating func measure(_ latency: Double, of index: Int) {
        endpoints[index].latency =
            endpoints[index].latency.map { $0 + Self.share * (latency - $0) } ?? latency
    }

    /// Many calls that fail together are one relapse: only the first, and then each trial, counts.
    private mutating func fallIll(_ index: Int, at now: Milliseconds) {
        guard endpoints[index].isWell || endpoints[index].isOnTrial else { return }
        endpoints[index].isOnTrial = false
        endpoints[index].illUntil = now + rest(of: index)
        endpoints[index].relapses += 1
    }
}
