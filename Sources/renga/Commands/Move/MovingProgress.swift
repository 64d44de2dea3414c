import Jobs
import Synchronization

/// How far a move is, on standard error.
final class MovingProgress: Sendable {
    private struct State {
        var progress = Progress(lines: .seconds(3))
        var work = ""
        /// Where the work at hand began: at how many rows, and when.
        var start: (rows: Int, at: ContinuousClock.Instant)?
        var text = ""
    }

    private let state = Mutex(State())

    /// Ends what is shown when the body has ended.
    func following<T>(_ body: () async throws -> T) async rethrows -> T {
        do {
            let value = try await body()
            state.withLock { state in
                if !state.text.isEmpty { state.progress.end(state.text, share: 1) }
            }
            return value
        } catch {
            state.withLock { $0.progress.clear() }
            throw error
        }
    }

    func note(_ work: String, _ table: String, rows: Int, total: Int) {
        state.withLock { state in
            let now = ContinuousClock.now
            if state.work != work { (state.work, state.start) = (work, nil) }
            let start = state.start ?? (rows, now)
            state.start = start
            let text = Self.text(
                work, table, rows: rows, total: total, done: rows - start.rows,
                milliseconds: Milliseconds((now - start.at) / .milliseconds(1)))
            state.text = text
            state.progress.show(text, share: total > 0 ? Double(rows) / Double(total) : nil)
        }
    }

    /// `copying job: 12,000 of 50,000 rows, 8,000 rows/s, 5s left`; how fast is known after a while.
    static func text(
        _ work: String, _ table: String, rows: Int, total: Int, done: Int, milliseconds: Milliseconds
    ) -> String {
        let start = "\(work) \(table): \(Text.number(rows)) of \(Text.count(total, "row"))"
        guard milliseconds >= 500, done > 0 else { return start }
        let perSecond = max(1, Int(Double(done) * 1_000 / Double(milliseconds)))
        let pace = "\(start), \(Text.number(perSecond)) rows/s"
        guard rows < total else { return pace }
        return "\(pace), \(Text.duration(Milliseconds(1 + (total - rows) / perSecond) * 1_000)) left"
    }
}
