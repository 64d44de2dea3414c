/// Lets the model do rows whose time has come, and enters in the journal what became of each row.
struct BatchRunner: Sendable {
    let journal: Journal
    /// Apart from that of calls: it runs by the calendar.
    let cache = PromptCache()

    init(_ journal: Journal) { self.journal = journal }

    /// Does a row at the moment at which it is due.
    func run(_ row: inout BatchRow, _ terms: BatchTerms) {
        let params = Array(row.params)
        let digest = Digest(of: params)
        let ticket = journal.begin(
            BatchRowName(terms.batch, row.customID), digest: digest, wasRun: true, at: terms.createdAt)
        var end = CallEnd()
        do throws(APIError) {
            let call = try terms.call(params)
            let marker = try Marker.find(in: params)
            journal.annotate(ticket, caller: marker?.caller, isStream: false)
            let fault = marker?.fault(ofRepetition: ticket.repetition)
            if let fault, !fault.isAnswered(isStream: false) { throw fault.error(in: .messages, at: row.due) }
            let accounting = try cache.account(for: call, at: row.due)
            var usage = accounting.usage
            usage.isBatch = true
            let message = MessageJSON(
                answering: call, marker, fault: fault?.kind, usage: usage, digest: digest,
                repetition: ticket.repetition, terms.settings)
            cache.begin(accounting, at: row.due)
            row.outcome = .succeeded(
                BatchRow.Reply(usage: message.usage, repetition: ticket.repetition, fault: fault?.kind))
            end = CallEnd(answering: message, status: 200, fault: nil)
        } catch {
            row.outcome = .errored(error)
        }
        end.result = row.outcome.name
        journal.end(ticket, end, at: row.due)
    }

    /// Ends a row that the model never saw.
    func close(_ row: inout BatchRow, as outcome: BatchRow.Outcome, _ terms: BatchTerms, at now: Int64) {
        row.outcome = outcome
        let ticket = journal.begin(
            BatchRowName(terms.batch, row.customID), digest: Digest(of: Array(row.params)), wasRun: false,
            at: terms.createdAt)
        journal.end(ticket, CallEnd(result: outcome.name), at: now)
    }
}
