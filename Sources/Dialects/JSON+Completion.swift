import JSON

/// Members of a chat completion's request; null stands for what was left out.
///
/// `path` is what comes before the name where it is told to the caller.
extension JSON {
    func given(_ name: String) -> JSON? {
        guard let value = self[name], !value.isNull else { return nil }
        return value
    }

    func flag(_ name: String, in path: String = "") throws(CompletionRequest.Refused) -> Bool? {
        guard let value = given(name) else { return nil }
        guard let flag = value.bool else { throw .wrong(path + name, "true or false") }
        return flag
    }

    func text(_ name: String, in path: String = "") throws(CompletionRequest.Refused) -> String? {
        guard let value = given(name) else { return nil }
        guard let text = value.string else { throw .wrong(path + name, "a string") }
        return text
    }

    func list(_ name: String, in path: String = "") throws(CompletionRequest.Refused) -> [JSON]? {
        guard let value = given(name) else { return nil }
        guard let list = value.elements else { throw .wrong(path + name, "an array") }
        return list
    }

    func object(_ name: String, in path: String = "") throws(CompletionRequest.Refused) -> JSON? {
        guard let value = given(name) else { return nil }
        guard value.kind == .object else { throw .wrong(path + name, "an object") }
        return value
    }
}

extension CompletionRequest.Refused {
    static func wrong(_ name: String, _ expected: String) -> Self {
        Self(parameter: name, message: "\(name) must be \(expected)")
    }
}
