import HTTPServer
import JSON
import Jobs

/// `/v1/models`: what callers may ask for, in the words of both SDKs, which share the path.
extension API {
    func listModels(_ call: Call) async throws -> Response {
        let parameters = try Parameters(
            call.head, known: ["limit", "before_id", "after_id", "beta", "lifecycle[]"])
        let limit = try parameters.integer("limit", in: 1...1000) ?? 20
        var names = settings.modelNames
        let wanted = try parameters.choices("lifecycle[]", Life.Stage.self)
        if !wanted.isEmpty {
            names = names.filter { wanted.contains(settings.life(of: $0, at: call.now.timestamp).stage) }
        }
        if let after = parameters["after_id"] {
            names = Array(names.drop { $0 != after }.dropFirst())
        }
        if let before = parameters["before_id"], let place = names.firstIndex(of: before) {
            names = Array(names[..<place].suffix(limit))
        }
        let page = names.prefix(limit)
        return .json { writer in
            writer.object { writer in
                writer.field("object", "list")
                writer.key("data")
                writer.array { writer in
                    for name in page {
                        writer.model(name, settings, at: call.now.timestamp)
                    }
                }
                writer.field("has_more", page.count < names.count)
                writer.field("first_id", page.first)
                writer.field("last_id", page.last)
            }
        }
    }

    func showModel(_ call: Call) async throws -> Response {
        let name = call.parameters[0]
        guard settings.modelNames.contains(name) || settings.routes.route(for: name) != nil else {
            throw Problem(.unknownModel, "there is no model “\(name.prefix(100))”; GET /v1/models lists them")
        }
        return .json { $0.model(name, settings, at: call.now.timestamp) }
    }
}

extension APISettings {
    /// Names that jobs may ask for: the operator's, and if one service takes all models those that have a price.
    fileprivate var modelNames: [String] {
        var seen: Set<String> = []
        let known = routes.otherModels == nil ? [] : [model] + PriceTable.models
        return (routes.names + known).filter { seen.insert($0).inserted }
    }
}

/// Where in its life a model is.
private struct Life {
    enum Stage: String, CaseIterable { case active, deprecated, retired }

    var stage: Stage
    var endsAt: Timestamp?
}

extension APISettings {
    fileprivate func life(of name: String, at now: Timestamp) -> Life {
        let model = routes.route(for: name)?.model ?? name
        switch ModelLifecycle.of(model)?.stage(at: now) {
        case .ended(let end): return Life(stage: .retired, endsAt: end)
        case .ending(let end): return Life(stage: .deprecated, endsAt: end)
        case .unpromised: return Life(stage: .deprecated)
        case .current, nil: return Life(stage: .active)
        }
    }
}

extension APISettings {
    /// What is known of the model that answers to a name.
    fileprivate func facts(of name: String, at now: Timestamp) -> ModelFacts {
        let model = routes.route(for: name)?.model ?? name
        return ModelFacts.of(model) ?? ModelFacts(window: prices.price(of: model, at: now)?.contextWindow)
    }
}

extension JSONWriter {
    /// The members that the one SDK reads, and those that the other does.
    fileprivate mutating func model(_ name: String, _ settings: APISettings, at now: Timestamp) {
        let life = settings.life(of: name, at: now)
        let facts = settings.facts(of: name, at: now)
        let created = facts.createdAt ?? Timestamp(milliseconds: 0)
        object { writer in
            writer.field("type", "model")
            writer.field("id", name)
            writer.field("display_name", facts.name ?? name)
            writer.time("created_at", created)
            writer.field("max_input_tokens", facts.window)
            writer.field("max_tokens", facts.output)
            writer.field("line", facts.line)
            writer.field("lifecycle", life.stage.rawValue)
            writer.field("deprecated_at", nil as String?)
            writer.field("retires_at", life.endsAt?.text)
            writer.field("object", "model")
            writer.field("created", created.milliseconds / 1000)
            writer.field("owned_by", "renga")
        }
    }
}
