import JSON
import Jobs

/// Why a line was not taken, or would not be.
enum LineRefusal: Equatable {
    case invalid(String)
    /// Another job has the line's custom_id.
    case conflict(with: String)
}

/// Reports which lines were refused: of the invalid ones the first hundred, of conflicts, which are all alike, three examples.
struct Reporter {
    private static let limit = 100
    private static let examples = 3
    private var invalid = 0
    private var conflicts = 0
    private var first: (line: JSON, id: String)?

    mutating func refused(_ line: Int, _ refusal: LineRefusal, _ bytes: ArraySlice<UInt8>) {
        switch refusal {
        case .invalid(let reason):
            invalid += 1
            if invalid <= Self.limit { Console.note("line \(line): \(Text.oneLine(reason, limit: 500))") }
            if invalid == Self.limit { Console.note("… more invalid lines are only counted") }
        case .conflict(let id):
            conflicts += 1
            if first == nil, let parsed = try? JSON.parse(Array(bytes)) { first = (parsed, id) }
            if conflicts <= Self.examples {
                Console.note("line \(line): its custom_id belongs to \(id), which has another body")
            }
        }
    }

    /// Counts what was not shown, and says what to do.
    func end(_ server: ServerClient) async {
        guard conflicts > 0 else { return }
        if conflicts > Self.examples {
            Console.note("… and \(Text.count(conflicts - Self.examples, "more line")) like these")
        }
        // Only to say more of an error: if the job cannot be read, less is said.
        let job = try? await first.asyncMap { first in try await server.call("GET", "/v1/jobs/\(first.id)") }
        Console.note(
            Self.cure(first?.id, first.flatMap { first in job.flatMap { Difference($0, first.line).text } }))
    }

    static func cure(_ id: String?, _ difference: String?) -> String {
        let found = difference.map { "The first of them differs in \($0). " } ?? ""
        let shown = id.map { ". To see the first job: renga show \($0)" } ?? ""
        return """
            \(found)A custom_id stands for one job. To resume an earlier run, give the same flags as then; for new \
            jobs, use other custom_ids or another queue (--queue NAME)\(shown)
            """
    }
}

/// How a line differs from the job that has its custom_id.
struct Difference {
    /// Nil if nothing that a job shows differs.
    let text: String?

    init(_ job: JSON, _ line: JSON) {
        let request = line["request"] ?? line["params"] ?? line["body"]
        let names = [
            Self.hasOne(line, "deadline") != Self.hasOne(job, "deadline") ? "its deadline" : nil,
            Self.tags(line) != Self.tags(job) ? "its tags" : nil,
            Self.model(line, request).map { ![job.text("model"), job.text("requested_model")].contains($0) }
                ?? false
                ? "its model" : nil,
            Self.prompt(line, request).map { $0 != Self.prompt(job, job["request"]) } ?? false
                ? "its prompt" : nil,
        ].compactMap(\.self)
        text = names.isEmpty ? nil : names.joined(separator: " and ")
    }

    private static func hasOne(_ json: JSON, _ name: String) -> Bool {
        json[name].map { !$0.isNull } ?? false
    }

    private static func tags(_ json: JSON) -> Set<String> {
        Set((json["tags"]?.elements ?? []).compactMap(\.string))
    }

    private static func model(_ line: JSON, _ request: JSON?) -> String? {
        line["model"]?.string ?? request?["model"]?.string
    }

    private static func prompt(_ json: JSON, _ request: JSON?) -> [UInt8]? {
        if let messages = request?["messages"] {
            if messages.count == 1, let text = messages[0]?["content"]?.string { return Array(text.utf8) }
            var bytes: [UInt8] = []
            messages.appendCanonical(to: &bytes)
            return bytes
        }
        return json["prompt"]?.string.map { Array($0.utf8) }
    }
}

extension Optional {
    fileprivate func asyncMap<Mapped>(_ transform: (Wrapped) async throws -> Mapped) async rethrows -> Mapped?
    {
        guard let self else { return nil }
        return try await transform(self)
    }
}
