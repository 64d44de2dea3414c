/// Makes the ids of requests: unique across restarts and processes, not secret.
struct RequestIDs {
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    private let process = UInt64.random(in: .min ... .max)
    private var sequence = UInt64.random(in: .min ... .max)

    /// `req_`, and 24 characters of five bits each.
    mutating func next() -> String {
        sequence &+= 0x9E37_79B9_7F4A_7C15
        var low = Self.mixed(sequence)
        var high = Self.mixed(sequence ^ process)
        return String(unsafeUninitializedCapacity: 28) { characters in
            _ = characters.initialize(fromContentsOf: "req_".utf8)
            for index in 0..<12 {
                characters.initializeElement(at: 4 + index, to: Self.alphabet[Int(high & 31)])
                characters.initializeElement(at: 16 + index, to: Self.alphabet[Int(low & 31)])
                high >>= 5
                low >>= 5
            }
            return 28
        }
    }

    // SplitMix64's finaliser: https://prng.di.unimi.it/splitmix64.c
    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
