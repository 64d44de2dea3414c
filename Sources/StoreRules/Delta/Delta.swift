package import Jobs

/// What one decision changes: a store writes it in the transaction in which the snapshot was loaded.
package struct Delta: Sendable {
    /// In the order in which they were decided; a job is mostly in one of them.
    package private(set) var changes: [Change] = []
    package var tallies = Tallies()
    /// To be logged after the commit.
    package private(set) var notices: [StateNotice] = []
    package private(set) var events: [NewEvent] = []

    package init() {}

    package mutating func add(_ change: Change) {
        changes.append(change)
    }

    package mutating func removeChanges(where isGone: (Change) -> Bool) {
        changes.removeAll(where: isGone)
    }

    package mutating func notice(_ notice: StateNotice) {
        notices.append(notice)
    }

    package mutating func record(_ event: NewEvent) {
        events.append(event)
    }
}

/// An event to be stored, and to be shown after the commit.
package struct NewEvent: Sendable {
    package let kind: StoredEvent.Kind
    package let subject: String
    package let message: String
    package var percent: Int?
    /// Left out if one like it was among the last hundred, within so many milliseconds.
    package var onceWithin: Milliseconds?

    package init(
        _ kind: StoredEvent.Kind, _ subject: String, _ message: String, percent: Int? = nil,
        onceWithin: Milliseconds? = nil
    ) {
        self.kind = kind
        self.subject = subject
        self.message = message
        self.percent = percent
        self.onceWithin = onceWithin
    }
}
