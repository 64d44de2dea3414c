import HTTPServer
import JSON
import Jobs

/// `POST /v1/jobs/{id}/review`: a person decides of an answer that failed its check.
extension API {
    func reviewJob(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let id = try jobID(call)
        let form = try ReviewForm(try JSON.body(call.bytes, limits: settings.limits))
        let outcome = try await store.review(id, try form.decision(), note: form.note)
        return try await answer(outcome, to: "review", id: id, call: call)
    }
}

/// What was sent, each field checked by itself.
private struct ReviewForm {
    private enum Action: String, CaseIterable { case approve, edit, reject }

    private static let noteBytes = 1...4_000

    private var action: Action?
    private var text: String?
    private var response: JSON?
    private(set) var note: String?

    init(_ body: JSON) throws(Problem) {
        for field in try Fields(body, "the body") {
            switch field.name {
            case "action": action = try field.choice(Action.self)
            case "text": text = try field.text()
            case "response": response = try Self.message(field)
            case "note": note = try field.line(bytes: Self.noteBytes)
            default:
                throw .unknownField(field, prefix: "", known: ["action", "text", "response", "note"])
            }
        }
    }

    private static func message(_ field: Field) throws(Problem) -> JSON {
        guard field.value.isWholeMessage else {
            throw field.refuse(
                "a whole Message, with type, role, model, content (blocks as the API sends them), stop_reason and usage: change the job's own response"
            )
        }
        return field.value
    }

    func decision() throws(Problem) -> ReviewAction {
        guard let action else {
            throw .missingField("action", "say “action”: “approve”, “edit” or “reject”")
        }
        guard action == .edit else {
            if let stray = text != nil ? "text" : response != nil ? "response" : nil {
                throw Problem(.invalidField, "“\(stray)” stands beside “edit” only", field: stray)
            }
            return action == .approve ? .approve : .reject
        }
        switch (text, response) {
        case (let text?, nil): return .rewrite(text: text)
        case (nil, let response?): return .edit(message: Array(response.raw))
        case (nil, nil): throw .missingField("text", "“edit” needs “text”, or “response”, a Message")
        default:
            throw Problem(
                .invalidField, "“text” and “response” exclude each other: give one of them", field: "response"
            )
        }
    }
}

extension JSON {
    /// Whether clients that asked for a Message can read it: what a person writes goes to them as it is.
    fileprivate var isWholeMessage: Bool {
        guard self["type"]?.string == "message", self["role"]?.string == "assistant",
            self["model"]?.string != nil, self["stop_reason"]?.string != nil,
            self["usage"]?["input_tokens"]?.wholeNumber != nil,
            self["usage"]?["output_tokens"]?.wholeNumber != nil
        else { return false }
        return self["content"]?.elements?.allSatisfy(\.isWholeBlock) ?? false
    }

    private var isWholeBlock: Bool {
        switch self["type"]?.string {
        case "text": self["text"]?.string != nil
        case "tool_use":
            self["id"]?.string != nil && self["name"]?.string != nil && self["input"]?.kind == .object
        case let type: type != nil
        }
    }
}
