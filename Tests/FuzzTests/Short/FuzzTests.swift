import Foundation
import Testing
import TestSupport

/// Each property on its corpus, and on some thousand inputs that are made of it by lots.
@Suite(.onThread) struct FuzzTests {
    @Test(arguments: Property.all.map(\.name))
    func `What must hold of every input holds`(_ name: String) throws {
        let property = try #require(Property.all.first { $0.name == name })
        let corpus = try Self.corpus(name)
        #expect(!corpus.isEmpty, "no corpus")
        for input in corpus { Self.check(property, input, seed: nil) }
        let seed = UInt64.random(in: .min ... .max)
        var mutator = Mutator(random: SeededRandom(seed: seed))
        for _ in 0..<1_000 { Self.check(property, mutator.input(from: corpus), seed: seed) }
    }

    private static func check(_ property: Property, _ input: [UInt8], seed: UInt64?) {
        do {
            try property.check(input)
        } catch {
            let words = seed.map { "seed \($0)" } ?? "corpus"
            Issue.record("\(error); \(words): \(Data(input).base64EncodedString())")
        }
    }

    private static func corpus(_ name: String) throws -> [[UInt8]] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Corpus/\(name)")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            .map { Array(try Data(contentsOf: folder.appendingPathComponent($0))) }
    }
}
