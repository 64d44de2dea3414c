import Dialects
import JSON

/// A line of a provider's own batch file, as the job that asks the same.
///
/// `params` (Anthropic's) or `body` (OpenAI's, a chat completion) becomes the job's request. A job's own members count
/// beside them, as `renga enqueue` adds its flags.
struct BatchFileLine {
    /// The job as an object of `POST /v1/jobs`.
    let job: JSON
    /// Where the request is in the line, for messages.
    let member: String

    private static let own: Set<String> = ["method", "url", "params", "body"]
    static let completionsPath = "/v1/chat/completions"
    static let messagesPath = "/v1/messages"

    /// Nil for a line that is of no batch file.
    init?(_ line: JSON) throws(Problem) {
        guard line.given("custom_id") != nil,
            let member = ["params", "body"].first(where: { line.given($0) != nil })
        else { return nil }
        self.member = member
        let path = try Self.path(line, member)
        let request = try Self.request(line[member] ?? line, member, path)
        var writer = JSONWriter()
        writer.object { writer in
            for (name, value) in line.members ?? [] where !Self.own.contains(name) {
                writer.field(name, raw: value.raw)
            }
            writer.field("request", raw: request)
        }
        job = try JSON.ofOwn(writer.bytes, named: member)
    }

    /// The call that the line is for.
    private static func path(_ line: JSON, _ member: String) throws(Problem) -> String {
        if let method = line.given("method"), method.string != "POST" {
            throw Field(name: "method", value: method).refuse("“POST”")
        }
        guard let url = line.given("url") else { return member == "params" ? messagesPath : completionsPath }
        guard let path = url.string, [completionsPath, messagesPath].contains(path) else {
            throw Field(name: "url", value: url).refuse("“\(completionsPath)” or “\(messagesPath)”")
        }
        return path
    }

    private static func request(_ said: JSON, _ member: String, _ path: String) throws(Problem) -> [UInt8] {
        guard path == completionsPath else { return Array(said.raw) }
        do {
            return try CompletionRequest(said).messages
        } catch {
            throw Problem(
                .invalidField, "“\(member)”: \(error.message)", field: "\(member).\(error.parameter)")
        }
    }

    /// The same problem in the names that the line has.
    func named(_ problem: Problem) -> Problem {
        var problem = problem
        if let field = problem.field {
            let isInRequest = field == "request" || field.hasPrefix("request.")
            if isInRequest { problem.field = member + field.dropFirst("request".count) }
        }
        problem.detail = problem.detail.replacingFirst("“request", with: "“" + member)
        return problem
    }
}

extension String {
    fileprivate func replacingFirst(_ text: String, with other: String) -> String {
        guard let range = self.firstRange(of: text) else { return self }
        return self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}

extension JSON {
    /// A member that says something: null counts as left out.
    func given(_ name: String) -> JSON? {
        self[name].flatMap { $0.isNull ? nil : $0 }
    }
}
