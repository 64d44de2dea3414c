import TestSupport

// What must hold of every input, whatever its bytes: run for seconds by the tests, for longer by `./dev fuzz`.

/// Something that is true of all inputs.
struct Property: Sendable {
    /// Its corpus is the folder of this name.
    let name: String
    /// Throws `Broken`; a crash breaks it too.
    let check: @Sendable ([UInt8]) throws -> Void

    static let all = json + streams + answers + headers + checks
}

/// What an input showed not to hold.
struct Broken: Error, CustomStringConvertible {
    var description: String
}

func demand(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    if !holds { throw Broken(description: what()) }
}

/// Both must be the same.
func demand<T: Equatable>(_ one: T, is other: T, _ what: String) throws {
    if one != other { throw Broken(description: "\(what): \(one) is not \(other)") }
}

/// The ways in which an input is cut into pieces: not at all, at every byte, and by lots that the input itself draws.
func cuts(of bytes: [UInt8]) -> [[[UInt8]]] {
    var random = SeededRandom(
        seed: bytes.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 })
    var lots: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...12, using: &random))
        rest = rest.dropFirst(piece.count)
        lots.append(Array(piece))
    }
    return [[bytes], bytes.map { [$0] }, lots]
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }

    /// What stands before and after the first line's end.
    var halves: ([UInt8], [UInt8]) {
        let end = firstIndex(of: UInt8(ascii: "\n")) ?? endIndex
        return (Array(self[..<end]), Array(self[end...].dropFirst()))
    }
}
