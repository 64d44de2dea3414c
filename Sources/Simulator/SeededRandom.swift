/// Chance that can be repeated: the same seeds give the same numbers on every machine.
///
/// SplitMix64 (https://prng.di.unimi.it/splitmix64.c): eight bytes of state, so one is made for each decision.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64 = 0

    init(_ seeds: UInt64...) {
        for seed in seeds {
            state ^= seed
            state = next()
        }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0 up to, not including, 1.
    mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Mean 0, deviation 1: the sum of twelve uniform draws, which never leaves ±6.
    mutating func normal() -> Double {
        (0..<12).reduce(-6) { sum, _ in sum + unit() }
    }

    mutating func pick<T>(_ choices: [T]) -> T {
        choices[Int(next() % UInt64(choices.count))]
    }

    /// `median` times e to a normal deviate of deviation `sigma`.
    mutating func logNormal(median: Double, sigma: Double) -> Double {
        median * exponential(sigma * normal())
    }
}

/// e to the x for |x| < 700, to about 1e-12: the C library's is behind a wall that this module keeps.
func exponential(_ x: Double) -> Double {
    let ln2 = 0.693_147_180_559_945_3
    let power = (x / ln2).rounded()
    let rest = x - power * ln2
    var term = 1.0
    var sum = 1.0
    for n in 1...14 {
        term *= rest / Double(n)
        sum += term
    }
    return Double(sign: .plus, exponent: Int(power), significand: sum)
}
