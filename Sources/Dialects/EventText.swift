package import Jobs

/// Events as they travel: a name, one line of data, an empty line.
///
/// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
package enum EventText {
    package static let mediaType = "text/event-stream; charset=utf-8"

    package static func of(_ events: [AnswerEvent]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(events.reduce(0) { $0 + $1.data.count + $1.name.utf8.count + 16 })
        for event in events { append(event, to: &text) }
        return text
    }

    private static func append(_ event: AnswerEvent, to text: inout [UInt8]) {
        if !event.name.isEmpty { text += "event: \(event.name)\n".utf8 }
        // Data of several lines came in several `data` fields, and goes on in as many.
        var rest = event.data[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            append(data: rest[..<end], to: &text)
            rest = rest[(end + 1)...]
        }
        append(data: rest, to: &text)
        text.append(UInt8(ascii: "\n"))
    }

    private static func append(data line: ArraySlice<UInt8>, to text: inout [UInt8]) {
        text += "data: ".utf8
        text += line
        text.append(UInt8(ascii: "\n"))
    }
}

extension AnswerEvent {
    /// The last event of a whole answer.
    package static let messageStop = AnswerEvent(
        name: "message_stop", data: Array(#"{"type":"message_stop"}"#.utf8))
}
