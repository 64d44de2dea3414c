/// A random source of whatever kind, to be handed on and back.
package struct AnyRandom: RandomNumberGenerator {
    package private(set) var source: any RandomNumberGenerator

    package init(_ source: any RandomNumberGenerator) {
        self.source = source
    }

    package mutating func next() -> UInt64 { source.next() }
}
