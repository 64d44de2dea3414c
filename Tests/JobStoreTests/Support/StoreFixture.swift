import Foundation
import JobStoreSQLite
import Jobs
import SQLite
import StoreAudit
import Testing
import TestSupport

/// The stores that the conformance suite runs over: a second one is a second case.
enum Backend: String, CaseIterable, Sendable {
    case sqlite

    func open(
        _ directory: TemporaryDirectory, clock: any Jobs.Clock = HandClock(),
        cacheTTL: Milliseconds = Sample.cacheTTL, fallbacks: FallbackChains = FallbackChains(),
        calendarPatience: Milliseconds = 0, onNotice: @escaping @Sendable (StateNotice) -> Void = { _ in }
    ) async throws -> any JobStore {
        try await withTaskExecutorPreference(BlockingExecutor.next()) {
            switch self {
            case .sqlite:
                // Few, so that answers are on their way into the index all the time.
                var settings = StoreSettings(
                    cacheTTL: cacheTTL, recentAnswers: 6, fallbacks: fallbacks, onNotice: onNotice)
                settings.calendarPatience = calendarPatience
                return try await SQLiteJobStore(path: directory.database, settings: settings, clock: clock)
            }
        }
    }

    /// The first column of a query over the store's own tables.
    func rows(_ query: String, _ directory: TemporaryDirectory) throws -> [Int64] {
        switch self {
        case .sqlite:
            try Connection(path: directory.database, mode: .read)
                .query(SQL(query)) { row in row.int64(0) }
        }
    }

    /// A look behind the seam, for what must be true of the rows themselves.
    func audit(_ directory: TemporaryDirectory) throws -> Audit {
        switch self {
        case .sqlite: Audit(connection: try Connection(path: directory.database, mode: .read))
        }
    }
}

/// A folder that goes with its test.
final class TemporaryDirectory: Sendable {
    let path: String
    var database: String { path + "/renga.db" }

    init() throws {
        path = NSTemporaryDirectory() + "renga-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

struct TooLate: Error {}

/// Runs something that must end by itself, and gives it up after so many seconds.
func within<T: Sendable>(seconds: Int, _ body: @escaping @Sendable () async throws -> T) async throws -> T {
    try await withThrowingTaskGroup(of: T.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: .seconds(seconds))
            throw TooLate()
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw TooLate() }
        return first
    }
}
