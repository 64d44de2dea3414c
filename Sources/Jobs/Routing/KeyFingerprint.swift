import Crypto

extension ServiceKey {
    /// What tells one key of this service from another, and does not tell the key: HMAC-SHA256 (RFC 2104) of it, cut to 64 bits.
    ///
    /// Nil for an empty key. The same in every process, so that workers with one key are known to share it.
    package func fingerprint(ofKey key: String) -> String? {
        guard !key.isEmpty else { return nil }
        let label = "renga key fingerprint\n\(provider)\n\(endpoint)\n\(credential)"
        let block = SHA256.hash(Array(label.utf8)) + [UInt8](repeating: 0, count: 32)
        let inner = SHA256.hash(block.map { $0 ^ 0x36 } + Array(key.utf8))
        return Array(SHA256.hash(block.map { $0 ^ 0x5C } + inner).prefix(8)).hex
    }
}
