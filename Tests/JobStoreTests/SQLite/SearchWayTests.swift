import Jobs
import SQLite
import TestSupport
import Testing

@testable import JobStoreSQLite
@testable import StoreConformance

/// Every way in which a list may be walked finds the same jobs, whichever the store takes: against all rows, sifted one by one.
@Suite(.onThread) struct SearchWayTests {
    private static let steps = 400

    private static let verbs: [[JobState]] = [
        JobState.allCases, [.queued, .running, .review], [.failed, .cancelled],
        [.failed, .cancelled, .queued],
    ]

    @Test func `every way finds what the rows say, forwards and backwards`() async throws {
        let seed = UInt64.random(in: 1...999_999_999)
        try await StoreHarness.run(.sqlite) { harness in
            let second = try await harness.openAnother()
            do {
                let schedule = try await Schedule(harness, second, seed: seed)
                for step in 1...Self.steps {
                    try await schedule.step()
                    if step.isMultiple(of: 100) { try check(schedule, seed) }
                }
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
            await second.close()
        }
    }

    private func check(_ schedule: Schedule, _ seed: UInt64) throws {
        let database = try schedule.harness.file
        let (rows, connection) = (try database.jobs(), try database.connection())
        for _ in 0..<15 {
            let filter = schedule.filter(rows)
            let states = Self.verbs.randomElement(using: &schedule.random) ?? []
            let name = "\(filter) in \(states), seed \(seed)"
            let search = Search(filter, in: states, connection)
            let some = rows.filter { $0.isFound(by: filter) && states.contains($0.state) }.map(\.id.value)
            #expect(try search.count() == some.count, "\(name)")
            for way in try search.ways() {
                let size = Int.random(in: 1...50, using: &schedule.random)
                #expect(try ids(search, way, .ascending, size) == some, "\(name)")
                #expect(try ids(search, way, .descending, size) == some.reversed(), "\(name)")
            }
        }
    }

    private func ids(
        _ search: Search, _ way: [Walk], _ direction: Walk.Direction, _ size: Int
    ) throws -> [Int64] {
        var found: [Int64] = []
        while true {
            let page = try search.ids(of: way, direction, behind: found.last.map { JobID($0) }, limit: size)
            #expect(page.count <= size)
            found += page
            if page.count < size { return found }
        }
    }
}
