import Jobs
import SQLite
import Testing

@testable import JobStoreSQLite

/// Lists by random filters, against all rows sifted one by one.
extension Schedule {
    /// What a filter may ask of a job.
    private struct Row {
        let id: Int64
        let state: JobState
        let queue: String
        let customID: String?
        let batch: Int64?
        let model: String
        let tags: [String]
        let errorType: String?

        func isFound(by filter: JobFilter) -> Bool {
            let time = JobID(id).createdAt
            return filter.state ?? state == state && filter.queue ?? queue == queue
                && (filter.customID == nil || filter.customID == customID)
                && (filter.batch == nil || filter.batch?.value == batch) && filter.model ?? model == model
                && filter.tag.map(tags.contains) ?? true
                && (filter.errorType == nil || state == .failed && filter.errorType == errorType)
                && filter.createdAfter.map { time > $0 } ?? true
                && filter.createdBefore.map { time < $0 } ?? true
        }
    }

    private static let verbs: [[JobState]] = [
        JobState.allCases, [.queued, .running, .review], [.failed, .cancelled],
        [.failed, .cancelled, .queued],
    ]

    func auditLists() async throws {
        let connection = try Connection(path: harness.directory.database, mode: .read)
        let rows = try rows(connection)
        for _ in 0..<15 {
            let filter = filter(rows)
            let found = rows.filter { $0.isFound(by: filter) }.map(\.id)
            #expect(try await harness.store.count(filter) == found.count, "\(filter)")
            #expect(try await list(filter) == found.reversed(), "\(filter)")

            let states = Self.verbs.randomElement(using: &random) ?? []
            let search = Search(filter, in: states, connection)
            let some = rows.filter { $0.isFound(by: filter) && states.contains($0.state) }.map(\.id)
            #expect(try search.count() == some.count, "\(filter) in \(states)")
            for way in try search.ways() {
                #expect(try ids(search, way, .ascending) == some, "\(filter) in \(states)")
                #expect(try ids(search, way, .descending) == some.reversed(), "\(filter) in \(states)")
            }
        }
    }

    private func rows(_ connection: Connection) throws -> [Row] {
        try connection.query(
            """
            SELECT job.id, job.state, queue.name, job.custom_id, job.batch_id, route.model, job_body.tags, job.error
            FROM job
            JOIN queue ON queue.id = job.queue_id
            JOIN lane ON lane.id = job.lane_id
            JOIN route ON route.id = lane.route_id
            JOIN job_body ON job_body.job_id = job.id
            ORDER BY job.id
            """
        ) { row in
            Row(
                id: row.int64(0), state: try #require(JobState(rawValue: row.text(1))), queue: row.text(2),
                customID: row.textOrNil(3), batch: row.int64OrNil(4), model: row.text(5),
                tags: row.textOrNil(6)?.split(separator: "\n").map(String.init) ?? [],
                errorType: row.isNull(7) ? nil : ErrorText.read(row.blob(7))?.type)
        }
    }

    private func filter(_ rows: [Row]) -> JobFilter {
        var filter = JobFilter()
        // Values of a job that there is, so that parts which exclude each other are the exception.
        func part<T>(_ percent: Int, _ value: (Row) -> T?) -> T? {
            chance(percent) ? rows.randomElement(using: &random).flatMap(value) : nil
        }
        filter.state = part(40) { $0.state }
        filter.queue = part(35) { $0.queue }
        filter.model = part(25) { $0.model }
        filter.batch = part(20) { $0.batch.map { BatchID($0) } }
        filter.tag = part(30) { $0.tags.first }
        filter.customID = part(8) { $0.customID }
        filter.errorType = part(10) { $0.errorType }
        filter.createdAfter = part(15) { JobID($0.id).createdAt }
        filter.createdBefore = part(15) { JobID($0.id).createdAt }
        if chance(3) { filter.queue = "unheard of" }
        return filter
    }

    private func list(_ filter: JobFilter) async throws -> [Int64] {
        var found: [JobID] = []
        let size = Int.random(in: 1...50, using: &random)
        while true {
            let page = try await harness.store.jobs(filter, before: found.last, limit: size, bodies: [])
            found += page.map(\.id)
            if page.count < size { return found.map(\.value) }
        }
    }

    private func ids(_ search: Search, _ way: [Walk], _ direction: Walk.Direction) throws -> [Int64] {
        var found: [Int64] = []
        let size = Int.random(in: 1...50, using: &random)
        while true {
            let page = try search.ids(of: way, direction, behind: found.last.map { JobID($0) }, limit: size)
            #expect(page.count <= size)
            found += page
            if page.count < size { return found }
        }
    }
}
