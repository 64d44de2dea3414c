import JSON
import Jobs

extension RetryChange {
    /// The request with the other model and limit.
    func applied(to request: JSON) throws -> [UInt8] {
        var request = request
        if let route {
            var model = JSONWriter()
            model.string(route.model)
            request = try JSON.parse(request.replacing("model", with: model.bytes), maxDepth: JSON.deepest)
        }
        if let maxTokens {
            request = try JSON.parse(
                request.replacing("max_tokens", with: Array("\(maxTokens)".utf8)), maxDepth: JSON.deepest)
        }
        return Array(request.raw)
    }

    /// What was asked for, if that is not the route's own model.
    var storedModel: String? { requestedModel.flatMap { $0 == route?.model ? nil : $0 } }
}
