import StoreAudit

/// What must be true of a database, at every moment and at the end.
struct Books {
    let record: Record

    init(_ record: Record) {
        self.record = record
    }

    /// Of a file.
    init(path: String) {
        record = Record(path: path)
    }

    func check(isPruned: Bool = false) async throws {
        let own = try await record.source.violations()
        let all = try await record.source.read { connection in
            try Audit(connection: connection).violations(isPruned: isPruned)
        }
        try demand((own + all).isEmpty, "the audit found: \((own + all).joined(separator: "\n"))")
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

extension Scenario {
    var books: Books {
        get async throws { Books(try await stillRecord()) }
    }
}
