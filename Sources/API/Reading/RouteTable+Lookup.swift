import JSON
import Jobs

extension RouteTable {
    /// The route of a model that a caller named, or what is wrong with the name.
    func route(for model: String, field: String) throws(Problem) -> RouteKey {
        if let route = route(for: model) { return route }
        let known = names.prefix(20).joined(separator: ", ")
        let suggestion = Suggestion.text(for: model, among: names)
        throw Problem(
            .invalidField,
            "“\(model.prefix(100))” is a model that no route takes\(suggestion.isEmpty ? "; there are \(known)" : suggestion)",
            field: field)
    }
}

extension MessagesRequest {
    /// Puts the exact model in the place of what was asked for; all else stays byte for byte.
    mutating func send(to model: String) throws(Problem) {
        var name = JSONWriter()
        name.string(model)
        json = try JSON.ofOwn(json.replacing("model", with: name.bytes), named: "model")
        self.model = model
    }
}
