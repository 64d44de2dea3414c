import HTTPServer
import JSON
import OpenAPI
import Testing

@testable import API

/// The document against what is served; that answers keep to it, `./dev test-api` shows.
@Suite("The OpenAPI document")
struct OpenAPITests {
    private let document: JSON

    init() throws {
        document = try JSON.parse(OpenAPI.document)
    }

    @Test("is served, to those with the key")
    func served() async throws {
        let harness = Harness(apiKeys: ["k"])
        #expect(try await harness.send("GET", "/openapi.json").status == 401)
        let answer = try await harness.send("GET", "/openapi.json", headers: ["x-api-key": "k"])
        #expect(answer.status == 200 && answer.headers["content-type"] == "application/json")
        #expect(Array(answer.text.utf8) == OpenAPI.document)
        #expect(answer["openapi"]?.string == "3.1.0")
    }

    @Test("has every method of every path that is served, and no other")
    func endpoints() throws {
        var described: Set<String> = []
        for (path, methods) in try #require(document["paths"]?.members) {
            let shape = path.replacing(#/\{[a-z]+\}/#, with: "{}")
            for (method, _) in methods.members ?? [] { described.insert("\(method.uppercased()) \(shape)") }
        }
        let served = Endpoint.all.map { endpoint in
            "\(endpoint.method) /" + endpoint.pattern.joined(separator: "/").replacing("{…}", with: "{}")
        }
        #expect(described == Set(served))
        #expect(served.count == described.count)
    }

    @Test("names every operation once")
    func operations() throws {
        let names = (document["paths"]?.members ?? []).flatMap { path in
            (path.value.members ?? []).map { $0.value["operationId"]?.string ?? "" }
        }
        #expect(Set(names).count == names.count && !names.contains(""))
    }

    @Test("has every problem under its status", arguments: Problem.Kind.allCases)
    func problems(kind: Problem.Kind) throws {
        let urn = "urn:renga:problem:" + kind.rawValue
        #expect(types(of: "Problem").contains(urn))
        #expect(types(of: "Problem\(kind.status)").contains(urn))
        let status = schema("Problem\(kind.status)")?["properties"]?["status"]?["const"]?.int
        #expect(status == kind.status)
    }

    @Test("has no problem that is not told")
    func strangers() {
        #expect(types(of: "Problem").count == Problem.Kind.allCases.count)
    }

    @Test("refers to nothing that is not in it")
    func references() {
        var missing: [String] = []
        func look(at json: JSON) {
            for (key, value) in json.members ?? [] {
                if key == "$ref", let place = value.string, target(place) == nil { missing.append(place) }
                look(at: value)
            }
            for element in json.elements ?? [] { look(at: element) }
        }
        look(at: document)
        #expect(missing.isEmpty)
    }

    @Test("states the limits that count")
    func limits() {
        let limits = APILimits()
        #expect(schema("JobList")?["properties"]?["jobs"]?["maxItems"]?.int == limits.listJobs)
        #expect(target("#/components/parameters/Limit")?["schema"]?["maximum"]?.int == limits.pageMost)
        #expect(schema("NewJob")?["properties"]?["tags"]?["maxItems"]?.int == JobLimits.tags)
        #expect(schema("MaxTokens")?["maximum"]?.int == JobLimits.maxTokens.upperBound)
        #expect(schema("QueueName")?["maxLength"]?.int == JobLimits.nameBytes.upperBound)
        let fields = schema("NewJob")?["properties"]?.members?.map(\.key) ?? []
        #expect(Set(fields) == Set(JobDraft.fields))
    }

    private func schema(_ name: String) -> JSON? { target("#/components/schemas/" + name) }

    private func target(_ place: String) -> JSON? {
        place.split(separator: "/").dropFirst().reduce(Optional(document)) { $0?[String($1)] }
    }

    private func types(of name: String) -> [String] {
        let type = schema(name)?["properties"]?["type"]
        return type?["enum"]?.elements?.compactMap(\.string) ?? [type?["const"]?.string ?? ""]
    }
}
