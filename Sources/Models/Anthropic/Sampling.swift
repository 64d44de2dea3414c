import JSON

extension JSON {
    /// The request without the sampling parameters that say nothing: nil if it has none.
    ///
    /// 1 is the default of `top_p` and of `temperature`. Models from 4.5 on refuse both at once, newer ones each; and
    /// libraries send defaults on their own.
    var withoutIdleSampling: JSON? {
        guard kind == .object else { return nil }
        let topP = self["top_p"], temperature = self["temperature"]
        var idle: [String] = []
        if topP?.double == 1 {
            idle.append("top_p")
        } else if temperature?.double == 1, let topP, !topP.isNull {
            idle.append("temperature")
        }
        guard !idle.isEmpty, var members = Members(self) else { return nil }
        for name in idle { members[name] = nil }
        return try? JSON.parse(members.json, maxDepth: JSON.deepest)
    }
}
