/// How long to wait before a server is asked again: 20 ms, doubled up to 1 s, each time any part of it.
///
/// Full jitter keeps the processes that lost a server together from coming back together.
struct Backoff {
    private static let first = 20
    private static let longest = 1_000

    private var bound = first

    /// In milliseconds.
    mutating func next(using random: inout some RandomNumberGenerator) -> Int64 {
        defer { bound = min(bound * 2, Self.longest) }
        return Int64(Int.random(in: 0...bound, using: &random))
    }

    mutating func reset() {
        bound = Self.first
    }
}
