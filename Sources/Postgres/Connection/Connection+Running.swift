import CPQ

extension Connection {
    /// Runs batches in one round trip; each has an outcome of its own.
    ///
    /// A statement that the server no longer knows, as if a pooler had put another of its connections in the place of this one, is
    /// prepared and called again.
    package func run(batches: [Batch], limits: TripLimits = TripLimits()) -> [Result<[Rows], PostgresError>] {
        var outcomes = runOnce(batches, limits)
        // A server that no longer writes was failed over, perhaps behind a pooler: another connection leads to the new one.
        if outcomes.contains(where: \.isReadOnly) { isUsable = false }
        let forgotten = outcomes.indices.filter { outcomes[$0].isForgotten }
        guard !forgotten.isEmpty else { return outcomes }
        prepared.removeAll()
        // A part of a transaction cannot be repeated by itself.
        guard isUsable, !isInTransaction else { return outcomes }
        for (index, outcome) in zip(forgotten, runOnce(forgotten.map { batches[$0] }, limits)) {
            outcomes[index] = outcome
        }
        return outcomes
    }

    /// Runs batches as one transaction, whose commit they share; if that is undone, each by itself.
    func run(together batches: [Batch], limits: TripLimits) -> [Result<[Rows], PostgresError>] {
        guard batches.count > 1 else { return run(batches: batches, limits: limits) }
        switch run(batches: [Batch(batches.flatMap(\.calls))], limits: limits)[0] {
        case .success(let rows):
            var rest = rows[...]
            return batches.map { batch in
                defer { rest = rest.dropFirst(batch.calls.count) }
                return .success(Array(rest.prefix(batch.calls.count)))
            }
        // What undid them all may be the fault of one.
        case .failure where isUsable: return run(batches: batches, limits: limits)
        case .failure(let error): return batches.map { _ in .failure(error) }
        }
    }

    /// Runs statements that stand or fall together, in one round trip.
    @discardableResult
    package func run(_ calls: [Call], limits: TripLimits = TripLimits()) throws(PostgresError) -> [Rows] {
        try run(batches: [Batch(calls)], limits: limits)[0].get()
    }

    private func runOnce(_ batches: [Batch], _ limits: TripLimits) -> [Result<[Rows], PostgresError>] {
        let defects = batches.map { $0.calls.lazy.compactMap(\.defect).first ?? lostBefore }
        let sound = zip(batches, defects).filter { $1 == nil }.map(\.0)
        guard !sound.isEmpty else { return defects.compactMap { $0.map { .failure($0) } } }
        trips += 1
        var trip = Trip(self, limits)
        var outcomes = trip.run(sound)[...]
        return defects.map { defect in defect.map { .failure($0) } ?? outcomes.removeFirst() }
    }

    private var lostBefore: PostgresError? {
        isUsable ? nil : PostgresError(.unavailable, "the connection to \(host) was lost before")
    }

    /// Runs a script of several statements, as a migration holds them.
    ///
    /// The server runs it as one transaction, unless it says otherwise itself. What it returns is passed over.
    package func execute(script: String, limits: TripLimits = TripLimits()) throws(PostgresError) {
        precondition(!isInTransaction, "a script is a transaction by itself")
        if let lostBefore { throw lostBefore }
        trips += 1
        let warnings = notices.warningCount
        do throws(PostgresError) {
            // The simple protocol, which knows no pipelines, is the only one that takes several statements in one text.
            guard functions.pointee.exit_pipeline(handle) == 1 else { throw broken }
            let refusal = try answer(to: script, limits)
            guard functions.pointee.enter_pipeline(handle) == 1 else { throw broken }
            if let refusal { throw refusal }
        } catch {
            guard error.kind == .unavailable else { throw error }
            isUsable = false
            throw PostgresError(.unknownOutcome, error.message, state: error.state)
        }
        guard notices.warningCount == warnings else {
            isUsable = false
            throw notices.doubt
        }
    }

    private func answer(to script: String, _ limits: TripLimits) throws(PostgresError) -> PostgresError? {
        guard functions.pointee.send_query(handle, script) == 1 else { throw broken }
        var reader = AnswerReader(self, limits)
        var refusal: PostgresError?
        while let answer = try reader.readPlain("script") {
            if case .failed(let error) = answer { refusal = refusal ?? error }
        }
        return refusal
    }

    private var broken: PostgresError { PostgresError(.unavailable, text.clean(words)) }
}

extension Result<[Rows], PostgresError> {
    fileprivate var isReadOnly: Bool {
        if case .failure(let error) = self { error.kind == .readOnly } else { false }
    }

    /// The server does not know a prepared statement any more.
    fileprivate var isForgotten: Bool {
        if case .failure(let error) = self { error.state == "26000" } else { false }
    }
}
