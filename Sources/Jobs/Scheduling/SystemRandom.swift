/// The system's randomness, as a value that has a place in memory.
///
/// `SystemRandomNumberGenerator` is empty. If one is passed `inout` its address is whatever a register holds, which the
/// thread sanitizer takes for an access: it reports races over other people's memory, or crashes.
package struct SystemRandom: RandomNumberGenerator, Sendable {
    private var system = SystemRandomNumberGenerator()
    private let place: UInt8 = 0

    package init() {}

    package mutating func next() -> UInt64 { system.next() }
}
