import CCrypto

/// SHA-256, in one go or piece by piece.
package enum SHA256 {
    /// The 32 bytes of the digest.
    package static func hash(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var hasher = Hasher()
        hasher.update(bytes)
        return hasher.finish()
    }

    /// Takes its input in pieces; of use for one digest.
    package struct Hasher: ~Copyable {
        private let context: OpaquePointer

        package init() {
            guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
                fatalError("libcrypto cannot start SHA-256")
            }
            self.context = context
        }

        deinit { EVP_MD_CTX_free(context) }

        /// Pieces may be cut anywhere: only their sequence counts.
        package mutating func update(_ bytes: some Collection<UInt8>) {
            let isDone: Void? = bytes.withContiguousStorageIfAvailable { feed(UnsafeRawBufferPointer($0)) }
            if isDone == nil { Array(bytes).withUnsafeBytes { feed($0) } }
        }

        /// The 32 bytes of the digest over all that was fed in.
        package consuming func finish() -> [UInt8] {
            [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
                let status = EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
                precondition(status == 1, "libcrypto failed to finish SHA-256")
                count = 32
            }
        }

        private func feed(_ bytes: UnsafeRawBufferPointer) {
            let status = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
            precondition(status == 1, "libcrypto failed to update SHA-256")
        }
    }
}
