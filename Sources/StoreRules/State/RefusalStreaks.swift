package import Jobs

/// The runs of identical refusals of one queue, by route; mostly none.
package struct RefusalStreaks: Sendable {
    private var streaks: [Int64: RefusalStreak] = [:]
    /// Calls in flight of jobs that are subject to them.
    private var inFlight: [Int64: Int] = [:]
    /// Routes whose streak is another than it was.
    package private(set) var changed: Set<Int64> = []

    package init() {}

    /// As it is stored; changes nothing.
    package mutating func load(_ streak: RefusalStreak, on route: Int64, inFlight calls: Int) {
        streaks[route] = streak
        inFlight[route] = calls
    }

    package subscript(_ route: Int64) -> RefusalStreak? {
        get { streaks[route] }
        set {
            streaks[route] = newValue
            changed.insert(route)
        }
    }

    package var all: [(route: Int64, streak: RefusalStreak)] {
        streaks.sorted { $0.key < $1.key }.map { (route: $0.key, streak: $0.value) }
    }

    /// What of the queue's jobs is held back, as people see it.
    ///
    /// `waiting` names the route if jobs of the queue wait for it: if the last of them failed too, nothing is held back any more.
    package func heldBack(
        of queue: String, waiting: (Int64) throws -> RouteKey?
    ) rethrows -> [HeldBack] {
        try all.compactMap { id, streak in
            guard let since = streak.heldSince, let route = try waiting(id) else { return nil }
            return HeldBack(
                route: route.name, reason: streak.explanation(queue: queue, route: route), since: since)
        }
    }

    package func running(on route: Int64) -> Int { inFlight[route] ?? 0 }

    /// A call is made.
    package mutating func tookCall(on route: Int64) {
        if streaks[route] != nil { inFlight[route, default: 0] += 1 }
    }
}
