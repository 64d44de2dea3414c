/// Builds the head of an answer from the lines that libcurl hands over, skipping informational heads (1xx).
struct ResponseHeadParser {
    /// Set once the final head is whole; lines that come later are trailers, and are dropped.
    private(set) var head: ResponseHead?
    private var draft: ResponseHead?
    private var bytes = 0

    /// libcurl 7.88.1 does not bound a head; real ones stay below 16 KiB.
    static let maxBytes = 256 << 10

    enum Step {
        /// A head is on its way.
        case inside
        /// A head of 1xx ended: the real one is still to come.
        case informational
        case complete
        /// Too long, or not HTTP.
        case malformed
        case trailer
    }

    mutating func take(_ line: String) -> Step {
        guard head == nil else { return .trailer }
        bytes += line.utf8.count
        guard bytes <= Self.maxBytes else { return .malformed }
        let text = line.utf8.trimmed
        if text.isEmpty { return endOfHead() }
        guard draft != nil else { return statusLine(text) }
        return field(line, text)
    }

    private mutating func endOfHead() -> Step {
        guard let draft else { return .malformed }
        self.draft = nil
        guard draft.status >= 200 else { return .informational }
        head = draft
        return .complete
    }

    private mutating func statusLine(_ text: Substring.UTF8View) -> Step {
        let words = text.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: true)
        guard words.count >= 2, let status = Int(Substring(words[1])), (100...999).contains(status) else {
            return .malformed
        }
        draft = ResponseHead(status: status)
        return .inside
    }

    private mutating func field(_ line: String, _ text: Substring.UTF8View) -> Step {
        if let first = line.utf8.first, first == 0x20 || first == 0x09 {
            draft?.headers.extendLast(with: String(Substring(text)))
            return .inside
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return .malformed }
        let value = text[text.index(after: colon)...].trimmed
        draft?.headers.add(String(Substring(text[..<colon].trimmed)), String(Substring(value)))
        return .inside
    }
}

extension BidirectionalCollection<UInt8> {
    /// Without the spaces, tabs and line ends around it.
    fileprivate var trimmed: SubSequence {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        guard let start = firstIndex(where: { !isBlank($0) }), let end = lastIndex(where: { !isBlank($0) })
        else { return self[startIndex..<startIndex] }
        return self[start...end]
    }
}
