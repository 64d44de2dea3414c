import CMicroHTTPD

/// Walks a request's head where MHD has left it, and finds what MHD has passed over.
///
/// MHD 0.9.75 cuts the head into its parts in place: separators become NULs, and no byte moves. So each part must begin
/// right behind the one before it. If one does not, MHD took a bare LF for the end of a line, a NUL hid what came
/// after it, a value went on in the next line and was forgotten there, or there were more spaces than one (its
/// `get_next_header_line`, `process_header_line`, `process_broken_line` and `parse_initial_message_line`).
///
/// Later versions lay a head out otherwise and are strict by themselves: with 1.0 nothing is looked for.
struct HeadLayout {
    var isBroken: Bool { Self.isKnown && hasGap }
    private var hasGap: Bool
    private let start: UnsafeRawPointer
    private var next: UnsafeRawPointer

    /// The request line.
    init(
        method: UnsafePointer<CChar>, target: UnsafePointer<CChar>, length: Int, version: UnsafePointer<CChar>
    ) {
        hasGap = target != method + strlen(method) + 1 || version != target + length + 1
        start = UnsafeRawPointer(method)
        next = UnsafeRawPointer(version) + strlen(version) + Self.lineEnd
    }

    /// A field, whose value goes up to the end of its line.
    mutating func take(name: UnsafeRawPointer, value: UnsafeRawPointer, length: Int) {
        if name != next { hasGap = true }
        next = value + length + Self.lineEnd
    }

    /// The empty line at the end.
    mutating func finish(size: Int) {
        if next + Self.lineEnd != start + size { hasGap = true }
    }

    private static let isKnown = MHD_VERSION < 0x0100_0000

    /// CR and LF.
    private static let lineEnd = 2
}
