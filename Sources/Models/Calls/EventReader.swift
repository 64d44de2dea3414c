/// One server-sent event; several `data` lines are joined with line feeds.
struct ServerEvent: Equatable, Sendable {
    /// Empty if the event does not name itself.
    var name = ""
    var data: [UInt8] = []
}

/// Splits a stream of bytes into server-sent events, wherever the pieces are cut.
///
/// By the HTML standard,
/// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream:
/// lines end in LF, CR or CRLF; a colon begins a comment; one space after the field's colon is not part of
/// the value;
/// an empty line ends the event. `id` and `retry` serve reconnecting, which renga never does.
struct EventReader {
    /// No event and no line may be larger.
    let limit: Int
    /// One was: nothing comes after it.
    private(set) var isTooLarge = false
    private var line: [UInt8] = []
    private var event = ServerEvent()
    private var hasData = false
    private var afterCR = false
    private var isFirstLine = true

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes the next piece; gives the events that it completes.
    mutating func take(_ piece: [UInt8]) -> [ServerEvent] {
        var events: [ServerEvent] = []
        var rest = piece[...]
        if afterCR, let first = rest.first {
            afterCR = false
            if first == UInt8(ascii: "\n") { rest = rest.dropFirst() }
        }
        while let end = rest.firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            let here = rest[..<end]
            let isCR = rest[end] == UInt8(ascii: "\r")
            rest = rest[(end + 1)...]
            if isCR, rest.first == UInt8(ascii: "\n") {
                rest = rest.dropFirst()
            } else {
                afterCR = isCR && rest.isEmpty
            }
            if line.isEmpty {
                endLine(here, &events)
            } else {
                endLine(takeLine() + here, &events)
            }
        }
        line += rest
        isTooLarge = isTooLarge || line.count > limit
        if isTooLarge { line = [] }
        return events
    }

    /// The event that was left without its empty line when the stream ended, if its last line is there.
    mutating func end() -> ServerEvent? {
        var events: [ServerEvent] = []
        if !line.isEmpty { endLine(takeLine(), &events) }
        endLine([], &events)
        return events.first
    }

    /// What has come of the line whose end is here.
    private mutating func takeLine() -> ArraySlice<UInt8> {
        defer { line = [] }
        return line[...]
    }

    private mutating func endLine(_ whole: ArraySlice<UInt8>, _ events: inout [ServerEvent]) {
        guard !isTooLarge, whole.count <= limit else { return isTooLarge = true }
        var line = whole
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        }
        guard !line.isEmpty else {
            if hasData { events.append(event) }
            event = ServerEvent()
            hasData = false
            return
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        set(line[..<colon], value)
    }

    private mutating func set(_ field: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
        if field.elementsEqual("data".utf8) {
            if hasData { event.data.append(UInt8(ascii: "\n")) }
            event.data += value
            hasData = true
            isTooLarge = event.data.count > limit
        } else if field.elementsEqual("event".utf8) {
            event.name = String(decoding: value, as: UTF8.self)
        }
    }
}
