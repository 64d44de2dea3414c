import HTTPServer
import Jobs

/// The query of a request, of which every name is known and comes once; lists, whose names end in `[]`, may go on.
struct Parameters {
    private var values: [String: [String]] = [:]

    /// Refuses names that are not in `known`, and names that come twice.
    init(_ head: RequestHead, known: [String]) throws(Problem) {
        for (name, value) in head.query {
            guard known.contains(name) else {
                throw Problem(
                    .unknownParameter,
                    "“\(name.prefix(100))” is not a parameter here\(Suggestion.text(for: name, among: known))",
                    field: String(name.prefix(100)))
            }
            guard values[name] == nil || name.hasSuffix("[]") else {
                throw Problem(.invalidParameter, "“\(name)” stands twice in the query", field: name)
            }
            values[name, default: []].append(value)
        }
    }

    /// A parameter without a value counts as left out.
    subscript(_ name: String) -> String? { all(name).first }

    func refuse(_ name: String, _ expected: String, limit: Int? = nil) -> Problem {
        Problem(
            .invalidParameter, "“\(name)” must be \(expected), not “\(self[name]?.prefix(60) ?? "")”",
            field: name,
            limit: limit)
    }

    private func all(_ name: String) -> [String] { (values[name] ?? []).filter { !$0.isEmpty } }
}

extension Parameters {
    func line(_ name: String, bytes: ClosedRange<Int>) throws(Problem) -> String? {
        guard let text = self[name] else { return nil }
        guard bytes.contains(text.utf8.count), !Text.hasControls(text) else {
            throw refuse(
                name, "\(bytes.lowerBound) to \(bytes.upperBound) bytes without control characters",
                limit: bytes.upperBound)
        }
        return text
    }

    func queueName(_ name: String) throws(Problem) -> String? {
        guard let text = self[name] else { return nil }
        guard Text.isQueueName(text) else {
            throw refuse(name, Text.queueNameExpectation, limit: JobLimits.nameBytes.upperBound)
        }
        return text
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw refuse(
                name, "a whole number from \(range.lowerBound) to \(range.upperBound)",
                limit: range.upperBound)
        }
        return number
    }

    func flag(_ name: String) throws(Problem) -> Bool {
        switch self[name] {
        case nil, "false", "0": false
        case "true", "1": true
        default: throw refuse(name, "true or false")
        }
    }

    func time(_ name: String) throws(Problem) -> Timestamp? {
        guard let text = self[name] else { return nil }
        guard let time = Timestamp(text: text) else {
            throw refuse(name, "an RFC 3339 time such as “2026-11-20T09:00:00Z” (a + in it is written %2B)")
        }
        return time
    }

    func timeOrDuration(_ name: String, now: Timestamp) throws(Problem) -> Timestamp? {
        guard let text = self[name] else { return nil }
        if let time = Timestamp(text: text) { return time }
        guard let duration = DurationText.parse(text) else {
            throw refuse(name, "an RFC 3339 time or \(DurationText.expectation)")
        }
        return now + duration
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _ kind: Choice.Type) throws(Problem)
        -> Choice?
    where Choice.RawValue == String {
        try choices(name, kind).first
    }

    func choices<Choice: RawRepresentable & CaseIterable>(_ name: String, _: Choice.Type) throws(Problem)
        -> [Choice]
    where Choice.RawValue == String {
        try all(name).map { (text) throws(Problem) in
            guard let choice = Choice(rawValue: text) else {
                throw refuse(name, "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return choice
        }
    }

    /// How long to wait, in milliseconds; nil if not asked for.
    func wait(limits: APILimits) throws(Problem) -> Milliseconds? {
        guard let text = self["wait"] else { return nil }
        guard let wait = DurationText.parse(text), wait <= Int64(limits.waitSeconds) * 1000 else {
            throw refuse("wait", "seconds, at most \(limits.waitSeconds)", limit: limits.waitSeconds)
        }
        return wait
    }

    /// `include=request,response`.
    func bodies(besides always: Bodies = []) throws(Problem) -> Bodies {
        var bodies = always
        for word in (self["include"] ?? "").split(separator: ",") {
            switch word {
            case "request": bodies.insert(.request)
            case "response": bodies.insert(.response)
            default: throw refuse("include", "request, response, or both with a comma between")
            }
        }
        return bodies
    }

    func pageLimit(_ limits: APILimits) throws(Problem) -> Int {
        try integer("limit", in: 1...limits.pageMost) ?? limits.pageDefault
    }
}
