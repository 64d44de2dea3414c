/// What may be spent on some jobs within a time; the operator's word.
package struct Budget: Hashable, Sendable {
    /// Which jobs' money counts.
    package enum Scope: Hashable, Sendable {
        case all
        case queue(String)
        case tag(String)
    }

    /// Days and months begin at midnight UTC.
    package enum Window: String, Sendable, CaseIterable {
        case day, month, total
    }

    /// What people call it: unique.
    package var name: String
    package var scope: Scope
    package var window: Window
    package var limit: Money
    /// Shares of the limit, in percent, at which it is said that they are spent; in rising order.
    package var alerts: [Int]

    package static let standardAlerts = [50, 80, 95, 100]

    package init(
        name: String, scope: Scope = .all, window: Window, limit: Money, alerts: [Int] = standardAlerts
    ) {
        self.name = name
        self.scope = scope
        self.window = window
        self.limit = limit
        self.alerts = alerts.sorted()
    }

    /// Whether jobs of this queue with these tags spend from it.
    package func covers(queue: String, tags: some Collection<String>) -> Bool {
        switch scope {
        case .all: true
        case .queue(let name): name == queue
        case .tag(let tag): tags.contains(tag)
        }
    }
}

extension Budget.Window {
    /// When the window that holds this time began; a total began with time itself.
    package func start(at time: Timestamp) -> Timestamp {
        switch self {
        case .day: Timestamp.midnight(String(time.text.prefix(10)))
        case .month: Timestamp.midnight(time.text.prefix(7) + "-01")
        case .total: Timestamp(milliseconds: 0)
        }
    }

    /// When the next window begins and the money is there again; nil for a total.
    package func end(at time: Timestamp) -> Timestamp? {
        switch self {
        case .day: start(at: time) + Timestamp.day
        // No month is longer than 31 days, and 32 days later is always within the next.
        case .month: start(at: start(at: time) + 32 * Timestamp.day)
        case .total: nil
        }
    }

    package var description: String {
        switch self {
        case .day: "a day"
        case .month: "a month"
        case .total: "in total"
        }
    }
}

extension Timestamp {
    package static let day: Milliseconds = 86_400_000

    fileprivate static func midnight(_ date: String) -> Timestamp {
        guard let time = Timestamp(text: date + "T00:00:00Z") else {
            preconditionFailure("a date that was written here is read here")
        }
        return time
    }
}
