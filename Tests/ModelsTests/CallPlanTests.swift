import HTTPClient
import JSON
import Jobs
import Testing

@testable import Models

@Suite struct CallPlanTests {
    static let key = ServiceKey(
        provider: "anthropic", endpoint: "http://h", credential: "KEY", simulated: false)

    static func attempt(_ request: String, maxTokens: Int = 100, service: ServiceKey = key) -> ClaimedAttempt
    {
        ClaimedAttempt(
            key: AttemptKey(job: JobID(1), number: 1), queue: "q",
            route: RouteKey(service: service, model: "m"),
            request: Array(request.utf8), maxTokens: maxTokens, openedAt: Timestamp(milliseconds: 0),
            leaseUntil: Moment(epoch: 1, milliseconds: 0),
            deadline: nil, failures: 0, alone: false)
    }

    private func plan(
        _ request: String, maxTokens: Int = 100, base: String = "http://h", betas: [String] = []
    ) throws
        -> CallPlan<MessagesFormat>
    {
        let service = AnthropicService(key: Self.key, baseURL: base, apiKey: Secret("sk"), betas: betas)
        return try CallPlan(Self.attempt(request, maxTokens: maxTokens), service, CallSettings())
    }

    @Test func `A short call is plain and its bytes are the job's`() throws {
        let request = #" { "model":"m", "n":1.0,"s":"\u00e9" } "#
        let plan = try plan(request)
        #expect(!plan.streams && plan.request.body == Array(request.utf8) && plan.request.method == "POST")
    }

    @Test func `A long call is a stream, and only that is changed in its bytes`() throws {
        #expect(try body(#"{"a":1.0, "stream" : false,"b":2}"#, 4097) == #"{"a":1.0, "stream" : true,"b":2}"#)
        #expect(try body(#"{"a": 1.0}"#, 4097) == #"{"a": 1.0,"stream":true}"#)
        #expect(try body(#"{"a":1}"#, 4096) == #"{"a":1}"#)
    }

    private func body(_ request: String, _ maxTokens: Int) throws -> String {
        String(decoding: try plan(request, maxTokens: maxTokens).request.body, as: UTF8.self)
    }

    @Test func `A job that asks for a stream gets one, its bytes untouched`() throws {
        let plan = try plan(#"{ "stream": true }"#)
        #expect(plan.streams && plan.request.body == Array(#"{ "stream": true }"#.utf8))
    }

    @Test(arguments: [
        (#"{"a": 1.0, "top_p": 1, "b":2}"#, #"{"a":1.0,"b":2}"#),
        (#"{"temperature":0.2,"top_p":1.0}"#, #"{"temperature":0.2}"#),
        (#"{"temperature":1,"top_p":0.9}"#, #"{"top_p":0.9}"#),
        (#"{"temperature":1,"top_p":1}"#, #"{"temperature":1}"#),
        (#"{ "temperature":0.2, "top_p":0.9 }"#, #"{ "temperature":0.2, "top_p":0.9 }"#),
        (#"{ "temperature": 1 }"#, #"{ "temperature": 1 }"#), (#"{ "top_p": "1" }"#, #"{ "top_p": "1" }"#),
        (#"{"temperature":1,"top_p":null}"#, #"{"temperature":1,"top_p":null}"#), ("[1]", "[1]"),
    ])
    func `Sampling parameters that say nothing are not sent`(request: String, sent: String) throws {
        #expect(try body(request, 100) == sent)
        guard sent != "[1]" else { return }
        let streamed = try JSON.parse(Array(try body(request, 5000).utf8))
        #expect(streamed["stream"]?.bool == true && (streamed["top_p"] == nil) == !sent.contains("top_p"))
    }

    @Test func `The address keeps a path before it`() throws {
        #expect(try plan("{}", base: "http://h:1/prefix").request.url == "http://h:1/prefix/v1/messages")
        #expect(try plan("{}", base: "http://h/").request.url == "http://h/v1/messages")
    }

    @Test func `The headers carry the key, the version and the betas`() throws {
        let headers = Dictionary(uniqueKeysWithValues: try plan("{}", betas: ["a", "b"]).request.headers)
        #expect(
            headers == [
                "x-api-key": "sk", "anthropic-version": "2023-06-01", "content-type": "application/json",
                "anthropic-beta": "a,b",
            ])
        #expect(try plan("{}").request.headers.allSatisfy { $0.0 != "anthropic-beta" })
    }

    @Test func `A request that is not JSON cannot be planned`() {
        #expect(throws: JSONError.self) { try plan("{") }
    }

    @Test func `A secret is not shown by whatever prints it`() {
        let service = AnthropicService(key: Self.key, baseURL: "http://h", apiKey: Secret("sk-ant-1"))
        var dumped = ""
        dump(service, to: &dumped)
        #expect(!"\(service) \(String(reflecting: service)) \(dumped)".contains("sk-ant"))
        #expect("\(service.apiKey)" == "[redacted]")
    }
}
