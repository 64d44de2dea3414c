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
                        writer.model(name, settings.life(of: name, at: call.now.timestamp))
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
        return .json { $0.model(name, settings.life(of: name, at: call.now.timestamp)) }
    }
}

extension APISettings {
    /// Names that jobs may ask for: the operator's, and where one service takes all models those that have a price.
    fileprivate var modelNames: [String] {
        var seen: Set<String> = []
        let known = routes.otherModels == nil ? [] : [model] + PriceTable.models
        return (routes.names + known).filter { seen.insert($0).inserted }
    }
}

/// Where in its life a model stands.
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

extension JSONWriter {
    /// The members that the one SDK reads, and those that the other does.
    fileprivate mutating func model(_ name: String, _ life: Life) {
        let created = Self.date(in: name)
        object { writer in
            writer.field("type", "model")
            writer.field("id", name)
            writer.field("display_name", name)
            writer.time("created_at", created)
            writer.field("lifecycle", life.stage.rawValue)
            writer.field("retires_at", life.endsAt?.text)
            writer.field("object", "model")
            writer.field("created", created.milliseconds / 1000)
            writer.field("owned_by", "renga")
        }
    }

    /// The date that a model's name ends in; the beginning of time for those that say none.
    private static func date(in name: String) -> Timestamp {
        let digits = name.suffix(8)
        guard digits.utf8.count == 8, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return Timestamp(milliseconds: 0)
        }
        let text = "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))T00:00:00Z"
        return Timestamp(text: text) ?? Timestamp(milliseconds: 0)
    }
}
