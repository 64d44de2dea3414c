import Jobs
import Testing

extension StoredJob {
    func isFound(by filter: JobFilter) -> Bool {
        let time = id.createdAt
        return filter.state ?? state == state && filter.queue ?? queue == queue
            && (filter.customID == nil || filter.customID == customID)
            && (filter.batch == nil || filter.batch == batch) && filter.model ?? model == model
            && filter.tag.map(tags.contains) ?? true
            && (filter.errorType == nil || state == .failed && filter.errorType == errorType)
            && filter.createdAfter.map { time > $0 } ?? true
            && filter.createdBefore.map { time < $0 } ?? true
    }
}

/// Lists by random filters, against all rows sifted one by one.
extension Schedule {
    func auditLists() async throws {
        let rows = try await harness.database.jobs()
        for _ in 0..<15 {
            let filter = filter(rows)
            let found = rows.filter { $0.isFound(by: filter) }.map(\.id)
            let counted = try await harness.store.count(filter)
            #expect(counted == found.count, "\(filter)")
            #expect(try await list(filter) == found.reversed(), "\(filter)")
        }
    }

    /// Values of a job that there is, so that parts which exclude each other are the exception.
    func filter(_ rows: [StoredJob]) -> JobFilter {
        var filter = JobFilter()
        func part<T>(_ percent: Int, _ value: (StoredJob) -> T?) -> T? {
            chance(percent) ? rows.randomElement(using: &random).flatMap(value) : nil
        }
        filter.state = part(40) { $0.state }
        filter.queue = part(35) { $0.queue }
        filter.model = part(25) { $0.model }
        filter.batch = part(20) { $0.batch }
        filter.tag = part(30) { $0.tags.first }
        filter.customID = part(8) { $0.customID }
        filter.errorType = part(10) { $0.errorType }
        filter.createdAfter = part(15) { $0.id.createdAt }
        filter.createdBefore = part(15) { $0.id.createdAt }
        if chance(3) { filter.queue = "unheard of" }
        return filter
    }

    private func list(_ filter: JobFilter) async throws -> [JobID] {
        var found: [JobID] = []
        let size = Int.random(in: 1...50, using: &random)
        while true {
            let page = try await harness.store.jobs(filter, before: found.last, limit: size, bodies: [])
            found += page.map(\.id)
            if page.count < size { return found }
        }
    }
}
