/// Why a copy ended before it was whole; what is in the target then is not to be worked with.
package struct CopyError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One sentence, without a full stop; it names the table and the row.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
