/// SHA-256 over the canonical form of everything that shapes an answer.
package struct PromptHash: Hashable, Sendable {
    /// 32 bytes.
    package var bytes: [UInt8]

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}
