import JSON

/// What a Messages request says and the chat dialect cannot say, by its path: `tools.0.type`.
struct Unmappable: Error, Equatable {
    var path: String
    var reason: String

    var message: String { "\(path): \(reason)" }
}

extension JSON {
    /// Refuses every member that is neither null nor known: what is dropped in silence changes the answer.
    func refuseMembers(except known: Set<String>, at path: String = "") throws(Unmappable) {
        for (name, value) in members ?? [] where !known.contains(name) && !value.isNull {
            throw Unmappable(
                path: path.isEmpty ? name : "\(path).\(name)",
                reason: "chat completions know nothing like it")
        }
    }
}
