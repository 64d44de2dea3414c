/// The body of an answer as it comes: events, or plain JSON if a server sends that to a call that asked for a stream.
///
/// A body that begins with a brace is no event.
struct BodyReader {
    private enum Form { case unknown, events, plain }

    private let limit: Int
    private var form = Form.unknown
    private var reader: EventReader
    private var bytes: [UInt8] = []

    /// `limit` is how many bytes are kept.
    init(limit: Int) {
        self.limit = limit
        reader = EventReader(limit: limit)
    }

    /// The events that a piece completes; none of a plain body.
    mutating func take(_ piece: [UInt8]) -> [ServerEvent] {
        if form == .unknown, let first = piece.first(where: { !Self.isBlank($0) }) {
            form = first == UInt8(ascii: "{") ? .plain : .events
        }
        guard form == .plain else { return reader.take(piece) }
        bytes += bytes.isEmpty ? piece.drop(while: Self.isBlank) : piece[...]
        return []
    }

    var isTooLarge: Bool { bytes.count > limit || reader.isTooLarge }

    /// All of a plain body so far; nil if there are events.
    var plain: [UInt8]? { form == .plain ? bytes : nil }

    /// The event that the end of the body completes.
    mutating func end() -> ServerEvent? { reader.end() }

    private static func isBlank(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }
}
