import JSON
import Testing
import TestSupport

/// Random documents; a failure prints the seed that made it.
@Suite struct PropertyTests {
    @Test func `reading a canonical form gives the same canonical form`() throws {
        forRandomSeeds(300) { random in
            let text = document(depth: 5, &random)
            let canonical = try JSON.parse(text).canonical()
            #expect(try JSON.parse(canonical).canonical() == canonical, "seed \(random.seed)")
        }
    }

    @Test func `order, white space and escaping do not change the canonical form`() throws {
        forRandomSeeds(300) { random in
            var other = random
            let members = (0..<6).map { (key: "k\($0)é😀", value: document(depth: 3, &random)) }
            let plain = members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
            let varied = members.shuffled(using: &other)
                .map { " \"\(escaped($0.key))\"\t:\n\($0.value) " }.joined(separator: ",")
            let expected = try JSON.parse("{\(plain)}").canonical()
            let actual = try JSON.parse("{\(varied)}").canonical()
            #expect(actual == expected, "seed \(random.seed)")
        }
    }

    @Test func `damaged bytes are read or refused, never a crash`() {
        forRandomSeeds(3_000) { random in
            var bytes = Array(document(depth: 4, &random).utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) { damage(&bytes, &random) }
            guard let value = try? JSON.parse(bytes) else { return }
            #expect(
                (try? JSON.parse(value.canonical()))?.canonical() == value.canonical(), "seed \(random.seed)")
            visit(value, seed: random.seed)
        }
    }

    private func damage(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        let at = Int.random(in: 0...bytes.count, using: &random)
        let marks = Array("\"\\{}[],:u0e-.".utf8)
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1 where at < bytes.count: bytes.remove(at: at)
        case 2: bytes.insert(marks.randomElement(using: &random) ?? 0, at: at)
        default: bytes.removeSubrange(at...)
        }
    }

    private func visit(_ value: JSON, seed: UInt64) {
        _ = (value.string, value.int, value.double, value.bool, value.raw)
        for element in value.elements ?? [] { visit(element, seed: seed) }
        for member in value.members ?? [] {
            #expect(value[member.key]?.raw == member.value.raw, "seed \(seed)")
            visit(member.value, seed: seed)
        }
    }

    private func document(depth: Int, _ random: inout SeededRandom) -> String {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &random) {
        case 0: return ["null", "true", "false"].randomElement(using: &random) ?? "null"
        case 1: return String(Int.random(in: .min ... .max, using: &random))
        case 2: return ["-0", "1.50", "1e9", "2E-3", "0.0", "1e999"].randomElement(using: &random) ?? "0"
        case 3...5: return "\"\(string(&random))\""
        case 6:
            let count = Int.random(in: 0..<5, using: &random)
            return "[" + (0..<count).map { _ in document(depth: depth - 1, &random) }.joined(separator: " ,")
                + "]"
        default:
            let count = Int.random(in: 0..<14, using: &random)
            let members = (0..<count).map {
                "\"\($0)\(string(&random))\": \(document(depth: depth - 1, &random))"
            }
            return "{" + members.joined(separator: ",\n") + "}"
        }
    }

    private func string(_ random: inout SeededRandom) -> String {
        let pieces = [
            "a", "Z", " ", "é", "日", "😀", "\u{FB33}", "\\n", "\\\"", "\\u0041", "\\ud83d\\ude00", "\\/",
        ]
        return (0..<Int.random(in: 0..<8, using: &random))
            .map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
    }

    private func escaped(_ text: String) -> String {
        text.utf16.map {
            "\\u" + String(repeating: "0", count: 4 - String($0, radix: 16).count) + String($0, radix: 16)
        }
        .joined()
    }

    private func forRandomSeeds(_ count: Int, _ body: (inout SeededRandom) throws -> Void) {
        for _ in 0..<count {
            let seed = UInt64.random(in: .min ... .max)
            var random = SeededRandom(seed: seed)
            do { try body(&random) } catch { Issue.record("seed \(seed): \(error)") }
        }
    }
}
