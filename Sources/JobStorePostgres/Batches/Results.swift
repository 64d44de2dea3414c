package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    package func results(_ query: ResultsQuery, after: Int64, limit: Int) async throws -> [FinishedJob] {
        try await readResults(query, after: after, limit: limit)
    }
}

extension ListSource {
    func readResults(_ query: ResultsQuery, after: Int64, limit: Int) async throws -> [FinishedJob] {
        let reader = ResultReader(
            query: query, after: after, limit: limit, now: now(), isOnStandby: isStandby)
        var missed: Int64?
        for pause in ResultReader.pauses {
            let awaited = missed
            switch try await read({ access in try reader.page(access, awaiting: awaited) }) {
            case .whole(let jobs): return jobs
            case .missing(let place): missed = place
            }
            try await Task.sleep(for: .milliseconds(pause))
        }
        return try await read { access in
            try reader.firstJobs(access, FinishOrder(access, isOnStandby: reader.isOnStandby))
        }
    }
}

/// Reads one page of results.
private struct ResultReader: Sendable {
    let query: ResultsQuery
    let after: Int64
    let limit: Int
    let now: Now
    let isOnStandby: Bool

    /// How long is waited for transactions that hold back what has ended, in milliseconds: most of them are open for a few.
    static let pauses = [1, 2, 4, 8, 16, 32, 64]

    enum Page: Sendable {
        case whole([FinishedJob])
        /// Jobs up to this place have ended, and some of them cannot be read in their order yet.
        case missing(Int64)
    }

    /// `place` is what an earlier look found missing: what ended since then is not waited for.
    func page(_ access: Access, awaiting place: Int64?) throws -> Page {
        let order = try FinishOrder(access, isOnStandby: isOnStandby)
        let jobs = try firstJobs(access, order)
        let last = place ?? order.last
        let isWhole = query.inputOrder || jobs.count == limit || last <= after || last < order.horizon
        return isWhole ? .whole(jobs) : .missing(last)
    }

    func firstJobs(_ access: Access, _ order: FinishOrder) throws -> [FinishedJob] {
        let places = try ResultPlaces(access, after: after, below: order.horizon, limit: limit).find(query)
        let decoder = JobDecoder(access: access, now: now, bodies: query.bodies)
        // All in one view of the database, so none has gone meanwhile.
        return zip(places, try decoder.jobs(places.map(\.job))).map { place, job in
            FinishedJob(cursor: place.cursor, job: job)
        }
    }
}
