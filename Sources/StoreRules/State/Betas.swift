/// Beta features as they are in their column: sorted, with commas between.
package enum Betas {
    package static func list(_ text: String?) -> [String] {
        text.map { $0.split(separator: ",").map(String.init) } ?? []
    }

    /// Nil for none.
    package static func text(_ betas: [String]) -> String? {
        betas.isEmpty ? nil : betas.sorted().joined(separator: ",")
    }
}
