import Foundation
import Testing

@testable import API

@Suite("docs/http-api.md")
struct DocumentationTests {
    private let text: String

    init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        text = try String(contentsOf: root.appending(path: "docs/http-api.md"), encoding: .utf8)
    }

    @Test("lists every problem with its status", arguments: Problem.Kind.allCases)
    func problems(kind: Problem.Kind) {
        #expect(text.contains("| `\(kind.rawValue)` | \(kind.status) |"))
    }

    @Test("has a heading for every endpoint", arguments: Endpoint.all.map(\.method).indices)
    func endpoints(index: Int) {
        let endpoint = Endpoint.all[index]
        let path = "/" + endpoint.pattern.joined(separator: "/")
        let shape = path.replacing("{…}", with: "{}")
        let headings = text.split(separator: "\n").filter { $0.hasPrefix("### ") }.map { heading in
            heading.replacing(#/\{[a-z]+\}/#, with: "{}")
        }
        #expect(
            headings.contains { $0.contains("\(endpoint.method) \(shape)`") }, "\(endpoint.method) \(path)")
    }
}
