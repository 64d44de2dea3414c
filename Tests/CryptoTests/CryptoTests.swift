import Crypto
import Testing

@Suite struct CryptoTests {
    /// The examples of FIPS 180-4, from NIST's page of test values.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `digests are those of the standard`(_ text: String, _ digest: String) {
        #expect(SHA256.hash(Array(text.utf8)).hex == digest)
        #expect(SHA256.hash(text.utf8).hex == digest)
        #expect(SHA256.hash(Array(text.utf8)[...]).hex == digest)
        #expect(SHA256.hash(text.utf8.reversed().reversed().lazy.map(\.self)).hex == digest)
    }

    @Test func `a digest in pieces is the digest of the whole`() {
        let bytes = randomBytes(10_000)
        var hasher = SHA256.Hasher()
        for start in stride(from: 0, to: bytes.count, by: 77) { hasher.update(bytes[start...].prefix(77)) }
        hasher.update([UInt8]())
        #expect(hasher.finish() == SHA256.hash(bytes))
    }

    @Test func `comparison is by content, whatever the lengths`() {
        #expect(constantTimeEquals(Array("secret".utf8), Array("secret".utf8)))
        #expect(constantTimeEquals([], []))
        #expect(!constantTimeEquals(Array("secret".utf8), Array("Secret".utf8)))
        #expect(!constantTimeEquals(Array("secret".utf8), Array("secre".utf8)))
        #expect(!constantTimeEquals([], [0]))
    }

    @Test func `random bytes have the length asked for and do not repeat`() {
        #expect(randomBytes(0).isEmpty)
        #expect(randomBytes(5).count == 5)
        #expect(Set((0..<100).map { _ in randomBytes(16) }).count == 100)
    }

    @Test func `hex goes both ways and refuses what it is not`() {
        let bytes = (0...255).map(UInt8.init)
        #expect([UInt8](hex: bytes.hex) == bytes)
        #expect([UInt8](hex: bytes.hex.uppercased()) == bytes)
        #expect([0x0A, 0xFF].hex == "0aff")
        for text in ["a", "0g", "é", "0x"] { #expect([UInt8](hex: text) == nil) }
    }
}
