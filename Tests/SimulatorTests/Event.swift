import JSON

/// One server-sent event.
struct Event {
    let name: String
    let data: JSON?

    static func parse(_ text: String) -> [Event] {
        text.split(separator: "\n\n").map { block in
            let lines = block.split(separator: "\n")
            let name = lines.first { $0.hasPrefix("event: ") }?.dropFirst(7) ?? ""
            let data = lines.first { $0.hasPrefix("data: ") }?.dropFirst(6) ?? ""
            return Event(name: String(name), data: try? JSON.parse(String(data)))
        }
    }
}
