/// Prepared statements of one connection, by their text.
///
/// Literals are as many as the program's source holds, and found by their address. Text put together at run
/// time is bounded: at the limit the whole lot is dropped, which costs one preparation each and no bookkeeping.
struct StatementCache {
    private static let textLimit = 256

    private var literals: [UnsafePointer<UInt8>: Statement] = [:]
    private var texts: [SQL.Text: Statement] = [:]

    subscript(_ sql: SQL) -> Statement? {
        switch sql.source {
        case .literal(let literal): literal.hasPointerRepresentation ? literals[literal.utf8Start] : nil
        case .text(let text): texts[text]
        }
    }

    mutating func keep(_ statement: Statement, for sql: SQL) {
        switch sql.source {
        case .literal(let literal) where literal.hasPointerRepresentation:
            literals[literal.utf8Start] = statement
        case .literal: break
        case .text(let text):
            // A statement in use lives on in the hands of its user.
            if texts.count >= Self.textLimit { texts.removeAll(keepingCapacity: true) }
            texts[text] = statement
        }
    }

    mutating func removeAll() {
        literals.removeAll()
        texts.removeAll()
    }
}
