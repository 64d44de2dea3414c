import SQLite
import Synchronization

/// The newest answers by their prompts, as one connection has read them from `answer_recent`.
///
/// Hashes are random: an index of them has a page of its own to write for each new answer, more than all else that a
/// settlement writes. So new answers stand in the order in which they came, each connection that looks for answers
/// keeps them in memory, and `AnswerIndexMerge` puts them into the index, many to a page.
///
/// What is kept may be out of date (an answer may be deleted, its id given to another): code that finds an id here
/// looks at its row. What is missing here would be a call paid twice: whatever is undone in the database is undone
/// here, by the writer's hooks.
final class RecentAnswers: Sendable {
    struct Entry {
        let number: Int64
        /// The first eight bytes of the hash, ordered as they are.
        let prompt: UInt64
        let answer: Int64
        /// The place of the last one before it with the same prompt; -1 for none.
        fileprivate let older: Int
    }

    fileprivate struct State {
        var entries: [Entry] = []
        var newest: [UInt64: Int] = [:]
        var sorted: (numbers: ClosedRange<Int64>, entries: [Entry])?
        /// Whether the operation that runs has read what there is.
        var isCurrent = false
        /// The last number before the operation, and before the transaction.
        var marks: (context: Int64, transaction: Int64) = (0, 0)
        var last: Int64 { entries.last?.number ?? 0 }
    }

    /// Then it looks for some that have been filed: 32 bytes each, and as much for finding them.
    private static let limit = 65_536

    private let state = Mutex(State())
    /// Whether the connection writes: then an operation reads once, and what it writes itself it says.
    private let isWriter: Bool

    init(isWriter: Bool) {
        self.isWriter = isWriter
    }

    /// Those of a connection; a reader's are made when they are first asked for.
    static func of(_ connection: Connection) -> RecentAnswers {
        if let known = connection.memory as? RecentAnswers { return known }
        let made = RecentAnswers(isWriter: false)
        connection.memory = made
        return made
    }

    /// The ids of answers to a prompt, the newest first, each to be looked at.
    func answers(to hash: [UInt8], _ connection: Connection) throws -> [Int64] {
        try state.withLock { state in
            try read(&state, connection)
            var found: [Int64] = []
            var place = state.newest[Self.prompt(hash)] ?? -1
            while place >= 0 {
                found.append(state.entries[place].answer)
                place = state.entries[place].older
            }
            return found
        }
    }

    /// Those of these numbers, in the order of their prompts: while they are filed, the same for every connection.
    func sorted(_ numbers: ClosedRange<Int64>, _ connection: Connection) throws -> [Entry] {
        try state.withLock { state in
            if let known = state.sorted, known.numbers == numbers { return known.entries }
            try read(&state, connection)
            let sorted = state.entries.filter { numbers.contains($0.number) }
                .sorted { ($0.prompt, $0.number) < ($1.prompt, $1.number) }
            state.sorted = (numbers, sorted)
            return sorted
        }
    }

    /// The operation that runs has written one.
    ///
    /// Numbers only grow, so one that follows the last that is known has no other's before it, and need not be read back.
    func wrote(_ number: Int64, _ answer: Int64, to hash: [UInt8]) {
        state.withLock { state in
            guard number == state.last + 1 else { return state.isCurrent = false }
            state.append(number, Self.prompt(hash), answer)
        }
    }

    private func read(_ state: inout State, _ connection: Connection) throws {
        guard !state.isCurrent else { return }
        try forget(filed: &state, connection)
        try connection.forEach(
            "SELECT number, prompt, answer_id FROM answer_recent WHERE number > ?1 ORDER BY number",
            [.integer(state.last)]
        ) { row in
            state.append(row.int64(0), Self.prompt(row.blob(1)), row.int64(2))
        }
        state.isCurrent = isWriter
    }

    /// Those that have left the table, once they are many.
    private func forget(filed state: inout State, _ connection: Connection) throws {
        guard state.entries.count > Self.limit else { return }
        let first = try connection.queryOne("SELECT min(number) FROM answer_recent") { row in row.int64(0) }
        let kept = state.entries.drop { $0.number < first ?? 0 }
        state.entries = []
        state.newest = [:]
        state.sorted = nil
        for entry in kept { state.append(entry.number, entry.prompt, entry.answer) }
    }

    private static func prompt(_ hash: [UInt8]) -> UInt64 {
        hash.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension RecentAnswers.State {
    fileprivate mutating func append(_ number: Int64, _ prompt: UInt64, _ answer: Int64) {
        let older = newest.updateValue(entries.count, forKey: prompt) ?? -1
        entries.append(RecentAnswers.Entry(number: number, prompt: prompt, answer: answer, older: older))
    }

    fileprivate mutating func undo(to mark: Int64) {
        isCurrent = false
        sorted = nil
        while let entry = entries.last, entry.number > mark {
            newest[entry.prompt] = entry.older < 0 ? nil : entry.older
            entries.removeLast()
        }
    }
}

/// The writer's hooks.
extension RecentAnswers {
    func operationBegins() {
        state.withLock { state in
            state.isCurrent = false
            state.marks.context = state.last
        }
    }

    func operationUndone() {
        state.withLock { state in state.undo(to: state.marks.context) }
    }

    func committed() {
        state.withLock { state in state.marks.transaction = state.last }
    }

    func transactionUndone() {
        state.withLock { state in state.undo(to: state.marks.transaction) }
    }
}
