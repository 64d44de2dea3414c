/// Decides which waiting call may start: as many as there are connections, and no origin at another's cost.
///
/// libcurl resolves names on a thread per transfer, so a burst of a thousand calls to one host would start a
/// thousand threads (and then as many TLS handshakes). An origin therefore opens only `opening` calls at
/// a time, until the first of them reach their server; one that never gets there holds up no other.
struct Admission<Element> {
    private struct Line {
        var waiting = FIFO<Element>()
        var opening = 0
    }

    private let connections: Int
    private let opening: Int
    private var lines: [String: Line] = [:]
    /// The origins that have waiting calls, the next to be served first.
    private var turns = FIFO<String>()
    private(set) var open = 0

    init(connections: Int, opening: Int) {
        self.connections = connections
        self.opening = opening
    }

    mutating func enqueue(_ element: Element, origin: String) {
        if lines[origin, default: Line()].waiting.isEmpty { turns.append(origin) }
        lines[origin, default: Line()].waiting.append(element)
    }

    /// The next call that may start, which then counts as opening.
    mutating func next() -> Element? {
        guard open < connections else { return nil }
        for _ in 0..<turns.count {
            guard let origin = turns.popFirst() else { return nil }
            guard var line = lines.removeValue(forKey: origin) else { continue }
            let element = line.opening < opening ? line.waiting.popFirst() : nil
            if element != nil {
                line.opening += 1
                open += 1
            }
            if !line.waiting.isEmpty { turns.append(origin) }
            lines[origin] = line
            if let element { return element }
        }
        return nil
    }

    /// A started call has reached its server: another may open.
    mutating func opened(origin: String) {
        lines[origin]?.opening -= 1
        forgetIfEmpty(origin)
    }

    /// A started call is over.
    mutating func closed(origin: String, whileOpening: Bool) {
        open -= 1
        if whileOpening { opened(origin: origin) }
    }

    private mutating func forgetIfEmpty(_ origin: String) {
        guard let line = lines[origin], line.opening == 0, line.waiting.isEmpty else { return }
        lines[origin] = nil
    }
}

/// An array with a moving head: appending and taking cost the same however long it is.
struct FIFO<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head].take()
        head += 1
        if head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
