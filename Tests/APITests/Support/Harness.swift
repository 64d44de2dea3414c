import Foundation
import HTTPServer
import JSON
import Jobs
import System
import Telemetry
import Testing

@testable import API

struct TestClock: Jobs.Clock {
    var milliseconds: Int64 = 1_700_000_000_000

    func now() -> Now {
        Now(
            timestamp: Timestamp(milliseconds: milliseconds),
            moment: Moment(epoch: 1, milliseconds: milliseconds))
    }
}

extension ServiceKey {
    static let test = ServiceKey(
        provider: "anthropic", endpoint: "https://api.anthropic.com", credential: "ANTHROPIC_API_KEY",
        simulated: false)
}

/// An API over a store, called as the server would call it.
struct Harness {
    let store: FakeStore
    let api: API

    init(
        _ adjust: (inout APISettings) -> Void = { _ in }, apiKeys: [String] = [],
        store: FakeStore = FakeStore(), log: Log = .silent
    ) {
        var settings = APISettings(service: .test, apiKeys: apiKeys, version: "1.2.3")
        adjust(&settings)
        self.store = store
        api = API(store: store, settings: settings, log: log)
    }

    func send(
        _ method: String, _ target: String, _ body: String = "", headers: Headers = [:]
    ) async throws -> Answer {
        try await send(method, target, .bytes(Array(body.utf8)), headers: headers)
    }

    func send(
        _ method: String, _ target: String, _ body: Request.Body, headers: Headers = [:]
    ) async throws -> Answer {
        let head = RequestHead(method: method, target: target, headers: headers)
        return try await Answer(api.respond(to: Request(head: head, body: body)))
    }

    /// Enqueues one job and returns its id.
    func job(_ body: String = #"{"prompt":"Hi"}"#) async throws -> JobID {
        let answer = try await send("POST", "/v1/jobs", body)
        return try #require(JobID(answer["id"]?.string ?? ""))
    }

    func made(_ body: String) async throws -> NewJob {
        let id = try await job(body)
        return try #require(store.look { $0.made[id] })
    }
}

extension RequestHead {
    init(method: String, target: String, headers: Headers = [:]) {
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        let path = parts[0].split(separator: "/").map { String($0).removingPercentEncoding ?? "" }
        let query = (parts.count > 1 ? parts[1] : "").split(separator: "&").map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1).map {
                String($0).removingPercentEncoding ?? ""
            }
            return (name: sides[0], value: sides.count > 1 ? sides[1] : "")
        }
        self.init(
            method: method, path: path, rawPath: parts[0], query: query, headers: headers, id: "req_test")
    }
}

/// An answer with its body read to the end.
struct Answer {
    let status: Int
    let headers: Headers
    let text: String

    init(_ response: Response) async throws {
        status = response.status
        headers = response.headers
        switch response.body {
        case .bytes(let bytes): text = String(decoding: bytes, as: UTF8.self)
        case .stream(let produce):
            text = String(decoding: try await ResponseWriter.collect(produce), as: UTF8.self)
        }
    }

    var json: JSON? { try? JSON.parse(text) }
    var lines: [JSON] { get throws { try text.split(separator: "\n").map { try JSON.parse(String($0)) } } }
    /// The problem's name, without what stands before it.
    var problem: String? { self["type"]?.string?.split(separator: ":").last.map(String.init) }

    subscript(_ key: String) -> JSON? { json?[key] }
}
