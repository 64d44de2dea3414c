import JSON

extension CompletionRequest {
    /// How the next word is drawn, as far as the model lets its callers say.
    ///
    /// Claude models from 4.7 on refuse every value but the default, which clients of this dialect send as a matter of course:
    /// for those it is left out, and the answer's head says so.
    ///
    /// Source: https://platform.claude.com/docs/en/about-claude/model-deprecations
    struct Sampling {
        private var kept: [(name: String, raw: [UInt8])] = []
        private(set) var dropped: [String] = []

        init(_ body: JSON, model: String?) throws(Refused) {
            let takesNone = model.map(Self.takesNone) ?? false
            for name in ["temperature", "top_p"] {
                guard let value = body.given(name) else { continue }
                guard let number = value.double, number >= 0, number <= 2 else {
                    throw Refused(parameter: name, message: "\(name) must be a number from 0 to 2")
                }
                if takesNone {
                    dropped.append(name)
                } else {
                    // Theirs ends at 1, as in the provider's own compatible endpoint.
                    kept.append((name, number > 1 ? Array("1".utf8) : Array(value.raw)))
                }
            }
        }

        func write(to writer: inout JSONWriter) {
            for (name, raw) in kept { writer.field(name, raw: raw) }
        }

        /// Claude models up to 4.6; each later one takes none.
        private static let choosable = [
            "claude-2", "claude-3", "claude-instant", "haiku-4-5", "sonnet-4-5", "sonnet-4-6", "opus-4-5",
            "opus-4-6", "opus-4-1", "opus-4-0", "opus-4-2025", "sonnet-4-0", "sonnet-4-2025",
        ]

        private static func takesNone(_ model: String) -> Bool {
            model.contains("claude-") && !choosable.contains(where: model.contains)
        }
    }
}
