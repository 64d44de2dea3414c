package import Jobs

/// A half-price lane with ready jobs.
package struct HalfPriceLane: Sendable {
    package let id: Int64
    package let queue: Int64
    package let queueName: String
    package let route: Int64
    package let tags: [String]
    /// About when its first job came; a low priority makes a rank of the future, and no job waits longer for more of them.
    package let since: Int64

    package init(id: Int64, queue: Int64, queueName: String, route: Int64, tags: [String], since: Int64) {
        self.id = id
        self.queue = queue
        self.queueName = queueName
        self.route = route
        self.tags = tags
        self.since = since
    }
}

/// A route whose half-price lanes are due.
package struct DueRoute: Sendable {
    package let route: RouteState
    package let lanes: [HalfPriceLane]
    /// Batches that an earlier portion began.
    package let begun: [FillingBatch]

    package init(route: RouteState, lanes: [HalfPriceLane], begun: [FillingBatch]) {
        self.route = route
        self.lanes = lanes
        self.begun = begun
    }
}

/// Jobs whose deadlines are about as far go together.
package struct BatchPlace: Hashable, Sendable, Comparable {
    package let route: Int64
    package let deadlineClass: Int

    package init(route: Int64, deadlineClass: Int) {
        self.route = route
        self.deadlineClass = deadlineClass
    }

    package static func < (a: BatchPlace, b: BatchPlace) -> Bool {
        (a.route, a.deadlineClass) < (b.route, b.deadlineClass)
    }
}

/// A provider batch that is stored, or one that this delta begins.
package enum BatchReference: Hashable, Sendable {
    case stored(Int64)
    case new(token: String)
}

/// A provider batch that still takes jobs.
package struct FillingBatch: Sendable {
    package let place: BatchPlace
    package let reference: BatchReference
    package var requests: Int
    package var bytes: Int
    package var soonest: Timestamp?

    package init(
        place: BatchPlace, reference: BatchReference, requests: Int, bytes: Int, soonest: Timestamp?
    ) {
        self.place = place
        self.reference = reference
        self.requests = requests
        self.bytes = bytes
        self.soonest = soonest
    }

    func hasRoom(for bytes: Int) -> Bool {
        requests == 0
            || (requests < HalfPriceTerms.mostRequests && self.bytes + bytes <= HalfPriceTerms.mostBytes)
    }
}

/// How much one transaction does at most.
enum ProviderBatchLimits {
    static let portion = 500
    /// Jobs of a lane that are read at a time.
    static let heads = 100
}
