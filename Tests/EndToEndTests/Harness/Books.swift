import SQLite
import StoreAudit

/// What must be true of a database, at every moment and at the end.
struct Books {
    let path: String
    private var record: Record { Record(path: path) }

    func check(isPruned: Bool = false) async throws {
        let violations = try await offPool { [path] in
            try Audit(connection: try Connection(path: path, mode: .read)).violations(isPruned: isPruned)
        }
        try demand(violations.isEmpty, "the audit found: \(violations.joined(separator: "\n"))")
        try demand(try await record.isSound(), "the database is damaged")
        let twice = try await record.notSettledOnce()
        try demand(twice == 0, "\(twice) jobs were not settled once")
    }

    /// Whether every call and every cent is in them that the provider knows of, and which it knows nothing of.
    func compare(with simulator: Simulated) async throws {
        let bill = try await simulator.stats()
        let (calls, billed) = (bill.integer("calls"), bill.integer("cost_nanodollars"))
        let booked = try await record.spent()
        try demand(calls <= booked.calls, "\(calls) calls were made, \(booked.calls) are in the books")
        try demand(
            booked.cost <= billed && billed <= booked.cost + booked.unconfirmedCost,
            "\(billed) were billed, \(booked.cost) and maybe \(booked.unconfirmedCost) are in the books")
    }
}
