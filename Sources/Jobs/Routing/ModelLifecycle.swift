/// When models end, as published by Anthropic until August 2026, for the API that it operates itself; clouds have
/// dates of their own.
///
/// A call to a model that has ended fails with 404.
package struct ModelLifecycle: Hashable, Sendable {
    /// The id without a date: every snapshot of it ends with it.
    package var model: String
    /// From when on calls fail; nil if no date is set.
    package var endsAt: Timestamp?
    /// Until when it was promised to go on, if that is all that is known.
    package var promisedUntil: Timestamp?
    package var successor: String

    /// At least this long before its end a model's end is made known.
    package static let notice: Milliseconds = 60 * 86_400_000

    private init(_ model: String, ends: String? = nil, promised: String? = nil, successor: String) {
        self.model = model
        endsAt = ends.flatMap { Timestamp(text: $0 + "T00:00:00Z") }
        promisedUntil = promised.flatMap { Timestamp(text: $0 + "T00:00:00Z") }
        self.successor = successor
    }

    /// What is known of a model's end; nil if nothing is.
    package static func of(_ model: String) -> ModelLifecycle? {
        table.first { entry in
            model == entry.model || model == entry.model + "-0" || model == entry.model + "-latest"
                || (model.hasPrefix(entry.model + "-")
                    && isDate(model.dropFirst(entry.model.count + 1)))
        }
    }

    private static func isDate(_ text: Substring) -> Bool {
        text.utf8.count == 8 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Newest facts of 2026-08-22.
    private static let table = [
        ModelLifecycle("claude-3-haiku", ends: "2026-04-20", successor: "claude-haiku-4-5-20251001"),
        ModelLifecycle("claude-3-5-haiku", ends: "2026-02-19", successor: "claude-haiku-4-5-20251001"),
        ModelLifecycle("claude-3-7-sonnet", ends: "2026-02-19", successor: "claude-sonnet-5-5"),
        ModelLifecycle("claude-sonnet-4", ends: "2026-06-15", successor: "claude-sonnet-5-5"),
        ModelLifecycle("claude-opus-4", ends: "2026-06-15", successor: "claude-opus-5-5"),
        ModelLifecycle("claude-opus-4-1", ends: "2026-08-05", successor: "claude-opus-5-5"),
        ModelLifecycle("claude-sonnet-4-5", ends: "2026-11-30", successor: "claude-sonnet-5-5"),
        ModelLifecycle("claude-haiku-4-5", promised: "2026-10-15", successor: "claude-haiku-5-5"),
    ]
}

extension ModelLifecycle {
    /// How near the end is.
    package enum Stage: Hashable, Sendable {
        case ended(Timestamp)
        /// Within the notice.
        case ending(Timestamp)
        /// No end is set, but what was promised has passed.
        case unpromised(since: Timestamp)
        case current
    }

    package func stage(at now: Timestamp) -> Stage {
        if let endsAt {
            if endsAt <= now { return .ended(endsAt) }
            return endsAt - now <= Self.notice ? .ending(endsAt) : .current
        }
        guard let promisedUntil, promisedUntil <= now else { return .current }
        return .unpromised(since: promisedUntil)
    }

    /// The one dated model that a name without a date stands for; nil for every other name.
    ///
    /// https://platform.claude.com/docs/en/about-claude/models/model-ids-and-versions
    package static func dated(_ name: String) -> String? { dated[name] }

    private static let dated = [
        "claude-haiku-4-5": "claude-haiku-4-5-20251001",
        "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
        "claude-opus-4-5": "claude-opus-4-5-20251101",
        "claude-opus-4-1": "claude-opus-4-1-20250805",
        "claude-sonnet-4-0": "claude-sonnet-4-20250514",
        "claude-opus-4-0": "claude-opus-4-20250514",
    ]

    /// Whether an id is a name that the provider leads to a dated model of its choice.
    package static func isMoving(_ model: String) -> Bool {
        [
            "claude-3-haiku", "claude-3-5-haiku", "claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5",
            "claude-opus-4-1",
        ]
        .contains(model) || model.hasSuffix("-latest")
            || ["claude-sonnet-4-0", "claude-opus-4-0"].contains(model)
    }
}
