import HTTPServer
import JSON

/// The members of an object that was sent, in order; null counts as left out.
struct Fields: Sequence, IteratorProtocol {
    /// What comes before the names in messages: `jobs[3].`, or nothing.
    let prefix: String
    private var members: IndexingIterator<[(key: String, value: JSON)]>

    /// Refuses what is not an object.
    init(_ json: JSON, _ what: String, prefix: String = "") throws(Problem) {
        guard let members = json.members else {
            throw Problem(
                .invalidField, "\(what) must be a JSON object",
                field: prefix.isEmpty ? nil : String(prefix.dropLast()))
        }
        self.prefix = prefix
        self.members = members.makeIterator()
    }

    mutating func next() -> Field? {
        while let member = members.next() {
            if !member.value.isNull { return Field(name: prefix + member.key, value: member.value) }
        }
        return nil
    }
}

extension Problem {
    /// The name is quoted, cut to a bounded length.
    static func unknownField(_ field: Field, prefix: String, known: [String], hint: String = "") -> Problem {
        let name = String(field.name.dropFirst(prefix.count))
        let suggestion = hint.isEmpty ? Suggestion.text(for: name, among: known) : hint
        return Problem(
            .unknownField, "“\(name.prefix(100))” is not a field here\(suggestion)",
            field: String(field.name.prefix(200)))
    }

    static func missingField(_ name: String, _ detail: String) -> Problem {
        Problem(.missingField, detail, field: name)
    }
}

/// Reading bodies.
extension JSON {
    /// The body of a request, or what is wrong with it and where.
    static func body(_ bytes: [UInt8], limits: APILimits) throws(Problem) -> JSON {
        guard !bytes.isEmpty else {
            throw Problem(
                .missingBody, "send a JSON object as the body, with “content-type: application/json”")
        }
        do {
            return try parse(bytes, maxDepth: limits.jsonDepth)
        } catch {
            throw Problem(error, limits: limits)
        }
    }
}

extension API {
    /// A compressed body reads as broken JSON, which would send its caller looking in the wrong place.
    func demandPlainBody(_ head: RequestHead) throws(Problem) {
        guard let encoding = head.headers["content-encoding"], encoding.lowercased() != "identity",
            !encoding.isEmpty
        else { return }
        throw Problem(
            .invalidHeader,
            "the body is compressed (“\(encoding.prefix(40))”), which is not taken here: send it as it is, without “content-encoding”",
            field: "content-encoding")
    }
}

extension Problem {
    init(_ error: JSONError, limits: APILimits) {
        self.init(.invalidJSON, error.message)
        if error.code == .tooDeep { limit = limits.jsonDepth }
    }
}
