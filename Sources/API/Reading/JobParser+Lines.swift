import JSON
import Jobs

/// Lines of an upload, in all the forms that are taken.
extension JobParser {
    /// A string is a prompt, an object with `messages` a Messages request, a line of a provider's batch file the job it
    /// asks for, and any other object a job.
    func job(line json: JSON, ordinal: Int) throws(Problem) -> NewJob {
        var draft = JobDraft()
        if let prompt = json.string {
            draft.prompt = prompt
            return try job(draft, said: json, form: "prompt", prefix: "", ordinal: ordinal)
        }
        guard json.kind == .object else { throw Self.noJob(json) }
        if let line = try BatchFileLine(json) {
            do {
                let draft = try JobDraft(line.job, prefix: "", now: now)
                return try job(draft, said: json, form: "", prefix: "", ordinal: ordinal)
            } catch {
                throw line.named(error)
            }
        }
        // With one of a job's own fields beside `messages` it is a job gone wrong, and is told so below.
        if json.given("messages") != nil, json.given("request") == nil, json.given("custom_id") == nil,
            json.given("queue") == nil
        {
            draft.request = try Self.withSystemTurnsApart(json)
            return try job(draft, said: json, form: "request", prefix: "", ordinal: ordinal)
        }
        try ForeignLine.refuse(json)
        return try job(json, ordinal: ordinal)
    }

    private static func noJob(_ json: JSON) -> Problem {
        guard json.kind == .array else {
            return Problem(
                .invalidField,
                "a line must be a string (a prompt), a job, or a Messages request with “messages”")
        }
        return Problem(
            .invalidField,
            "a line is one job, and this one is an array: jq -c '.[]' FILE | renga enqueue - makes a line of each element"
        )
    }

    /// A request whose first messages are instructions, as fine-tuning sets have them, with these as its `system`.
    private static func withSystemTurnsApart(_ request: JSON) throws(Problem) -> JSON {
        guard request.given("system") == nil, let messages = request["messages"]?.elements else {
            return request
        }
        let instructions = messages.prefix { ["system", "developer"].contains($0["role"]?.string) }
        guard !instructions.isEmpty else { return request }
        let texts = instructions.compactMap { $0["content"]?.string }
        guard texts.count == instructions.count else { return request }
        var writer = JSONWriter()
        writer.object { writer in
            for (name, value) in request.members ?? [] where name != "messages" && name != "system" {
                writer.field(name, raw: value.raw)
            }
            writer.field("system", texts.joined(separator: "\n\n"))
            writer.key("messages")
            writer.array { writer in
                for message in messages.dropFirst(instructions.count) { writer.raw(message.raw) }
            }
        }
        return try JSON.ofOwn(writer.bytes, named: "messages")
    }
}
