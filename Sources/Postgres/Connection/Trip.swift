import CPQ

/// Statements that stand or fall together: the first error undoes and skips the rest.
///
/// Outside of a `Transaction` each is a transaction by itself, which the server commits at its end.
package struct Batch: Sendable {
    let calls: [Call]
    /// Whether the server may commit at its end.
    let mayCommit: Bool

    package init(_ calls: [Call]) {
        self.init(calls, mayCommit: true)
    }

    init(_ calls: [Call], mayCommit: Bool) {
        self.calls = calls
        self.mayCommit = mayCommit
    }
}

/// One round trip: sends batches, each with a mark behind it, and reads an answer to each.
struct Trip {
    typealias Outcome = Result<[Rows], PostgresError>

    private let connection: Connection
    private let functions: Library.Functions
    private let handle: OpaquePointer
    private let warningsBefore: Int
    private var reader: AnswerReader
    /// Why statements could not be prepared, by name.
    private var unprepared: [String: PostgresError] = [:]

    init(_ connection: Connection, _ limits: TripLimits) {
        self.connection = connection
        functions = connection.functions
        handle = connection.handle
        warningsBefore = connection.notices.warningCount
        reader = AnswerReader(connection, limits)
    }

    /// One outcome for each batch.
    mutating func run(_ batches: [Batch]) -> [Outcome] {
        var outcomes: [Outcome] = []
        do throws(PostgresError) {
            let fresh = freshStatements(in: batches)
            try send(fresh, batches)
            for statement in fresh { try readPreparation(of: statement) }
            for batch in batches { outcomes.append(try readAnswers(to: batch)) }
        } catch {
            connection.isUsable = false
            for batch in batches[outcomes.count...] { outcomes.append(.failure(loss(error, of: batch))) }
        }
        connection.collectNotifications()
        return zip(batches, outcomes).map { doubting($1, of: $0) }
    }

    private func freshStatements(in batches: [Batch]) -> [Statement] {
        var names: Set<String> = []
        return batches.flatMap(\.calls).map(\.statement).filter {
            $0.isKept && !connection.prepared.contains($0.name) && names.insert($0.name).inserted
        }
    }

    /// The connection broke before the batch was answered.
    private func loss(_ error: PostgresError, of batch: Batch) -> PostgresError {
        guard error.kind == .unavailable else { return error }
        return PostgresError(
            .init(state: error.state, mayHaveCommitted: batch.mayCommit), error.message, state: error.state,
            statement: batch.calls.first?.statement.name)
    }

    /// Of a server that warned while it committed nobody knows whether its standby has it too.
    private func doubting(_ outcome: Outcome, of batch: Batch) -> Outcome {
        guard connection.notices.warningCount != warningsBefore, batch.mayCommit, case .success = outcome
        else {
            return outcome
        }
        connection.isUsable = false
        return .failure(connection.notices.doubt)
    }
}

// MARK: sending

extension Trip {
    private func send(_ fresh: [Statement], _ batches: [Batch]) throws(PostgresError) {
        // Each with a mark of its own, so that one that is refused spoils no other.
        for statement in fresh {
            try prepare(statement)
            try mark()
        }
        for batch in batches {
            for call in batch.calls {
                if !call.statement.isKept { try prepare(call.statement) }
                try send(call)
            }
            try mark()
        }
    }

    private func prepare(_ statement: Statement) throws(PostgresError) {
        let types = statement.parameters.map(\.rawValue)
        let sent = functions.pointee.send_prepare(
            handle, statement.serverName, statement.text, Int32(types.count), types)
        guard sent == 1 else { throw reader.broken() }
    }

    private func send(_ call: Call) throws(PostgresError) {
        let spans = call.arguments.spans
        let sent = call.arguments.bytes.withUnsafeBytes { bytes -> Int32 in
            // What is empty needs an address too: none means NULL.
            let start = bytes.baseAddress ?? UnsafeRawPointer(handle)
            let values = spans.map { span in
                span.map { (start + $0.lowerBound).assumingMemoryBound(to: CChar.self) }
            }
            let lengths = spans.map { Int32($0?.count ?? 0) }
            let binary = [Int32](repeating: 1, count: spans.count)
            return functions.pointee.send_prepared(
                handle, call.statement.serverName, Int32(spans.count), values, lengths, binary, 1)
        }
        guard sent == 1 else { throw reader.broken() }
    }

    private func mark() throws(PostgresError) {
        guard functions.pointee.pipeline_sync(handle) == 1 else { throw reader.broken() }
    }
}

// MARK: reading

extension Trip {
    private mutating func readPreparation(of statement: Statement) throws(PostgresError) {
        switch try reader.read(statement.name) {
        case .rows: connection.prepared.insert(statement.name)
        case .failed(let error): unprepared[statement.name] = error
        case .skipped, .mark: throw reader.unasked()
        }
        guard case .mark = try reader.read(statement.name) else { throw reader.unasked() }
    }

    private mutating func readAnswers(to batch: Batch) throws(PostgresError) -> Outcome {
        var all: [Rows] = []
        all.reserveCapacity(batch.calls.count)
        var failure: PostgresError?
        for call in batch.calls {
            let name = call.statement.name
            if !call.statement.isKept, case .failed(let error) = try reader.read(name) {
                failure = failure ?? error
            }
            switch try reader.read(name) {
            case .rows(let rows): all.append(rows)
            case .failed(let error): failure = failure ?? unprepared[name] ?? error
            case .skipped: break
            case .mark: throw reader.unasked()
            }
        }
        let name = batch.calls.last?.statement.name ?? ""
        var end = try reader.read(name)
        // The mark is a commit, which a deferred constraint may refuse.
        if case .failed(let error) = end {
            failure = failure ?? error
            end = try reader.read(name)
        }
        guard case .mark = end else { throw reader.unasked() }
        if let failure { return .failure(failure) }
        guard all.count == batch.calls.count else { throw reader.unasked() }
        return .success(all)
    }
}
