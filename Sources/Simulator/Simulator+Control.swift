import HTTPServer
import JSON

/// `/_sim/…`: what a test or a person changes and reads while it runs.
extension Simulator {
    func control(_ request: Request) async -> Response {
        switch (request.head.method, Array(request.head.path.dropFirst())) {
        case ("GET", ["stats"]):
            await settleBatches()
            return answer(stats.json)
        case ("GET", ["journal"]):
            await settleBatches()
            return journalPage(request.head)
        case ("POST", ["faults"]), ("POST", ["settings"]): return change(request)
        case ("POST", ["reset"]):
            await reset()
            return answer(stats.json)
        default: return APIError(status: 404).response(requestID: request.head.id)
        }
    }

    private func answer(_ json: [UInt8]) -> Response {
        Response(contentType: "application/json", bytes: json)
    }

    /// `?after=SEQUENCE&limit=N`; `next_after` asks for the page that follows.
    private func journalPage(_ head: RequestHead) -> Response {
        let after = head.query("after").flatMap { Int($0) } ?? 0
        let limit = head.query("limit").flatMap { Int($0) } ?? 1000
        let entries = entries(after: after, limit: min(10_000, limit))
        var json = JSONWriter()
        json.object { json in
            json.key("data")
            json.array { list in for entry in entries { entry.write(to: &list) } }
            json.field("next_after", entries.last?.sequence ?? after)
        }
        return answer(json.bytes)
    }

    /// Takes an object of option names, as for starting; values may be strings, numbers or lists of strings.
    private func change(_ request: Request) -> Response {
        do {
            let options = try Self.options(JSON.parse(request.bytes))
            try update(options)
            var json = JSONWriter()
            json.object { json in
                json.key("changed")
                json.object { changed in
                    for (name, value) in options.sorted(by: { $0.key < $1.key }) {
                        changed.field(name, value)
                    }
                }
            }
            return answer(json.bytes)
        } catch {
            return APIError.invalid("\(error)").response(requestID: request.head.id)
        }
    }

    private static func options(_ body: JSON) throws(SettingError) -> [String: String] {
        guard let members = body.members else { throw SettingError("expected an object of options") }
        var options: [String: String] = [:]
        for (name, value) in members {
            guard let text = value.string ?? value.numberText ?? list(value) else {
                throw SettingError("\(name): expected a string, a number or a list of strings")
            }
            options[name] = text
        }
        return options
    }

    private static func list(_ value: JSON) -> String? {
        guard let elements = value.elements else { return value.isNull ? "" : nil }
        let texts = elements.compactMap(\.string)
        return texts.count == elements.count ? texts.joined(separator: ",") : nil
    }
}
