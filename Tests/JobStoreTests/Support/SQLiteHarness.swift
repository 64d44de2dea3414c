import JobStoreSQLite
import SQLite
import Testing

@testable import StoreConformance

/// What tests of SQLite see of a store besides its ports.
extension StoreHarness {
    var file: SQLiteDatabase {
        get throws { try #require(database as? SQLiteDatabase) }
    }

    var sqlite: SQLiteJobStore {
        get throws { try #require(store as? SQLiteJobStore) }
    }

    /// The first column of a query over the store's own tables.
    func rows(_ query: String) throws -> [Int64] {
        try file.connection().query(SQL(query)) { row in row.int64(0) }
    }
}
