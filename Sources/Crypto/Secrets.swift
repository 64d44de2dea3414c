import CCrypto

/// Compares in a time that tells nothing about the bytes, nor, as digests are what is compared, about lengths.
package func constantTimeEquals(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    CRYPTO_memcmp(SHA256.hash(a), SHA256.hash(b), 32) == 0
}

/// Bytes fit for keys and tokens, from libcrypto's generator.
package func randomBytes(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        // Without randomness no secret is one: better to stop than to go on.
        let status = RAND_bytes(buffer.baseAddress, Int32(count))
        precondition(status == 1, "libcrypto has no randomness to give")
        filled = count
    }
}
