import Jobs

extension Configuration {
    /// The models that are named, each with the routes' own; nothing of what other providers' models are called.
    private var models: [RouteKey] {
        var keys = table.routes.map(\.key)
        if !keys.contains(standardRoute) { keys.append(standardRoute) }
        let ofAnthropic = Set(providers.filter { $0.kind == .anthropic }.map(\.key))
        return keys.filter { ofAnthropic.contains($0.service) }
    }

    /// Models that have ended, or whose end is near, with what to do.
    func endings(at now: Timestamp) -> [(model: String, advice: String)] {
        models.compactMap { key in
            guard let lifecycle = ModelLifecycle.of(key.model) else { return nil }
            switch lifecycle.stage(at: now) {
            case .ended(let date):
                return (key.model, "ended on \(date.text.prefix(10)); move to \(lifecycle.successor)")
            case .ending(let date):
                return (
                    key.model,
                    "ends on \(date.text.prefix(10)), in \(Text.duration(date - now)); move to \(lifecycle.successor)"
                )
            case .unpromised, .current: return nil
            }
        }
    }

    /// What else is worth knowing of a model's name; nil if nothing is.
    func remark(on key: RouteKey, at now: Timestamp) -> String? {
        guard models.contains(key) else { return nil }
        if ModelLifecycle.isMoving(key.model) {
            return
                "an undated name: the provider chooses the dated model; use a dated id to fix it"
        }
        if let lifecycle = ModelLifecycle.of(key.model), case .unpromised(let date) = lifecycle.stage(at: now)
        {
            return
                "was guaranteed until \(date.text.prefix(10)), and no end is set; its successor is \(lifecycle.successor)"
        }
        return nil
    }
}
