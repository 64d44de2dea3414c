import HTTPClient
import JSON
import Jobs
import Testing

@testable import Models

/// What comes back from a chat, as a Message, a refusal or a breakage.
@Suite struct ChatAnswerTests {
    @Test(arguments: [
        ("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal"),
        ("eos_token", "end_turn"),
    ])
    func `An answer is a Message, with its reason to stop`(finish: String, stop: String) throws {
        let result = whole(#"{"role":"assistant","content":"Four é😀."}"#, finish)
        let message = try #require(result.message)
        #expect(message["content"]?[0]?["text"]?.string == "Four é😀." && message["content"]?.count == 1)
        #expect(message["stop_reason"]?.string == stop && message["role"]?.string == "assistant")
        #expect(message["id"]?.string == "chatcmpl-1" && message["type"]?.string == "message")
        #expect(result.answer?.model == "gpt-x" && result.answer?.stopReason == stop)
        #expect(try Answer(message: result.answer?.body ?? []).usage == result.answer?.usage)
    }

    @Test func `Tokens read from and written to a cache are counted apart`() throws {
        let usage = """
            {"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,
             "prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":30},
             "completion_tokens_details":{"reasoning_tokens":5}}
            """
        let result = whole(#"{"content":"x"}"#, "stop", usage: usage)
        let expected = Usage(inputTokens: 10, outputTokens: 7, cacheWriteTokens: 30, cacheReadTokens: 60)
        #expect(result.answer?.usage == expected)
        #expect(
            result.message?["usage"]?["output_tokens_details"]?["thinking_tokens"]?.int == 5)
    }

    @Test func `An answer without counts is guessed by its bytes, and says so`() throws {
        let result = whole(#"{"content":"123456789"}"#, "stop", usage: "null")
        #expect(result.answer?.usage == Usage(inputTokens: 100, outputTokens: 3))
        #expect(result.message?["usage"]?["estimated"]?.bool == true)
    }

    @Test(arguments: [
        (#"{"a":1}"#, #"{"a":1}"#), ("", "{}"), (" ", "{}"), ("null", "{}"),
        (#"{"a":"#, #"{"INVALID_JSON":"{\"a\":"}"#), ("[1]", #"{"INVALID_JSON":"[1]"}"#),
    ])
    func `A call of a tool has its input parsed`(arguments: String, input: String) throws {
        var text = JSONWriter()
        text.string(arguments)
        let call =
            #"{"id":"c1","type":"function","function":{"name":"f","arguments":\#(String(decoding: text.bytes, as: UTF8.self))}}"#
        for finish in ["tool_calls", "stop"] {
            let result = whole(#"{"content":null,"tool_calls":[\#(call)]}"#, finish)
            let block = try #require(result.message?["content"]?[0])
            #expect(block["type"]?.string == "tool_use" && block["id"]?.string == "c1")
            #expect(block["input"].map { String(decoding: $0.raw, as: UTF8.self) } == input)
            #expect(result.answer?.stopReason == "tool_use")
        }
    }

    @Test func `A refusal in words is a refusal with these words`() {
        let result = whole(#"{"content":null,"refusal":"I can't."}"#, "stop")
        #expect(result.message?["content"]?[0]?["text"]?.string == "I can't.")
        #expect(result.answer?.stopReason == "refusal" && result.answer?.isCacheable == false)
    }

    @Test(arguments: [
        "", "nonsense", "{}", #"{"choices":[]}"#, #"{"choices":[{"message":null,"finish_reason":"stop"}]}"#,
        #"{"choices":[{"message":{"content":"x"},"finish_reason":null}]}"#,
        #"{"choices":[{"message":{"content":"x"},"finish_reason":"error"}]}"#,
    ])
    func `What is no whole answer is malformed`(body: String) {
        #expect(plain(body).breakage?.kind == .malformed)
    }

    static let chunks =
        chunk(#"{"role":"assistant","content":""}"#) + ": still here\n\n" + chunk(#"{"content":"Sixty"}"#)
        + chunk(#"{"content":"-four é😀"}"#)
        + chunk(
            #"{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]}"#
        )
        + chunk(#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}"#)
        + chunk(#"{"tool_calls":[{"index":1,"id":"c2","function":{"name":"g","arguments":"{}"}}]}"#)
        + chunk(#"{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"#)
        + chunk("{}", finish: #""tool_calls""#)

    static let counts =
        #"data: {"id":"chatcmpl-1","model":"gpt-x","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4}}"#
        + "\n\n"
    static let done = "data: [DONE]\n\n"

    @Test(arguments: [1, 7, 100_000])
    func `A stream is put together, wherever it is cut`(size: Int) throws {
        let result = stream(Self.chunks + Self.counts + Self.done, pieces: size)
        let content = try #require(result.message?["content"])
        #expect(content[0]?["text"]?.string == "Sixty-four é😀")
        #expect(content[1]?["input"]?["a"]?.int == 1 && content[1]?["name"]?.string == "f")
        #expect(content[2]?["id"]?.string == "c2" && content.count == 3)
        #expect(result.answer?.usage == Usage(inputTokens: 9, outputTokens: 4))
        #expect(result.answer?.stopReason == "tool_use" && result.answer?.model == "gpt-x")
    }

    @Test func `A stream may end without its mark, but not without its reason`() {
        #expect(stream(Self.chunks + Self.counts).answer?.usage.outputTokens == 4)
        #expect(stream(Self.chunks).answer?.usage.inputTokens == 100)
        let cut = stream(Self.chunk(#"{"content":"Sixty"}"#))
        #expect(cut.breakage?.kind == .truncated && cut.breakage?.usage?.outputTokens == 2)
        #expect(stream(Self.chunk(#"{"content":"Sixty"}"#) + Self.done).breakage?.kind == .malformed)
        #expect(stream("").breakage?.usage == nil)
    }

    @Test func `A stream cut off by its connection counts where everything had come`() {
        let error = HTTPClientError(code: .reset, message: "reset", maySent: true)
        for (text, isWhole) in [(Self.chunks + Self.counts, true), (Self.chunks, false)] {
            var stream = ChatStream(limit: 1 << 20, assuming: assumed)
            #expect(stream.take(Array(text.utf8)) == nil)
            let result = stream.end(error)
            #expect((result.answer != nil) == isWhole)
            #expect((result.breakage?.kind == .reset) == !isWhole)
        }
    }

    @Test func `Whole calls without index are told apart, and a plain answer to a stream is understood`() {
        let calls = Self.chunk(
            #"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"g","arguments":{"x":1}}}]}"#,
            finish: #""stop""#)
        let content = stream(calls).message?["content"]
        #expect(content?[0]?["id"]?.string == "a" && content?[1]?["input"]?["x"]?.int == 1)
        #expect(stream(completion(#"{"content":"x"}"#, "stop")).message?["content"]?.count == 1)
    }

    @Test(arguments: [
        (#"{"error":{"message":"Slow","type":"server_error","code":null}}"#, "api_error server_error Slow"),
        (#"{"error":{"message":"No","code":429}}"#, "rate_limit_error - No"),
        (
            #"{"error":{"message":"Long","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            "invalid_request_error context_length_exceeded context_length_exceeded: Long"
        ),
        (
            #"{"error":{"message":"Overloaded","type":"overloaded_error"}}"#,
            "overloaded_error overloaded_error Overloaded"
        ),
        (
            #"{"object":"error","message":"Bad","type":"BadRequestError","code":400}"#,
            "invalid_request_error BadRequestError Bad"
        ),
    ])
    func `An error amid a stream, or after a 200, is a refusal`(error: String, expected: String) {
        for result in [stream(Self.chunk(#"{"content":"x"}"#) + "data: \(error)\n\n"), plain(error)] {
            let refusal = result.refusal
            #expect(refusal?.status == 200)
            #expect("\(refusal?.type ?? "-") \(refusal?.code ?? "-") \(refusal?.message ?? "")" == expected)
        }
        #expect(
            stream(Self.chunk(#"{"content":"x"}"#) + "data: \(error)\n\n").refusal?.usage?.inputTokens == 100)
    }

    @Test(arguments: [
        (
            400, #"{"error":{"message":"m","type":"invalid_request_error","param":"x","code":"bad"}}"#,
            "invalid_request_error bad m"
        ),
        (
            401, #"{"error":{"message":"m","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            "authentication_error invalid_api_key m"
        ),
        (404, #"{"detail":"Not Found"}"#, "not_found_error - Not Found"),
        (
            422, #"{"detail":[{"loc":["body"],"msg":"missing"}]}"#,
            #"invalid_request_error - [{"loc":["body"],"msg":"missing"}]"#
        ),
        (
            429, #"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            "rate_limit_error insufficient_quota m"
        ),
        (429, #"[{"error":{"message":"m","code":429}}]"#, "rate_limit_error - m"),
        (500, #"{"error":"model runner has stopped"}"#, "api_error - model runner has stopped"),
        (503, #"{"message":"The server is overloaded"}"#, "overloaded_error - The server is overloaded"),
        (
            502, "<html><head><title>x</title></head><body><h1>Bad gateway</h1></body></html>",
            "- - x Bad gateway"
        ),
        (500, "", "- - HTTP 500"), (404, "404 page not found", "- - 404 page not found"),
    ])
    func `An error answer is read in whatever form it comes`(status: Int, body: String, expected: String) {
        let refusal = plain(body, status: status).refusal
        #expect("\(refusal?.type ?? "-") \(refusal?.code ?? "-") \(refusal?.message ?? "")" == expected)
        #expect(refusal?.status == status)
    }

    @Test func `Credit that is used up pauses the route as a spend cap does`() {
        let body = #"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#
        var random = SystemRandom()
        let decision = Decision.decide(
            Outcome(plain(body, status: 429)), failures: 0, policy: RetryPolicy(), using: &random)
        #expect(decision.routeEvent == .spendCapped(until: nil, suspected: false))
    }

    @Test(arguments: [
        ("350ms", 350), ("1m3s", 63_000), ("6m0s", 360_000), ("59.56s", 59_560), ("1h0m0.5s", 3_600_500),
        ("0s", 0), ("17", 17_000), ("1d", 86_400_000), ("12µs", 1), ("", nil), ("s", nil), ("3x", nil),
        ("1m-3s", nil), ("99999999999999s", nil),
    ])
    func `A duration is read as Go writes it`(text: String, expected: Int64?) {
        #expect(Milliseconds(goDuration: text) == expected)
    }

    @Test func `The limits are read, but for those of a day`() {
        let minute = headers([
            "x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59",
            "x-ratelimit-reset-requests": "1s", "x-ratelimit-limit-tokens": "150000",
            "x-ratelimit-remaining-tokens": "149984", "x-ratelimit-reset-tokens": "6ms",
        ])
        let report = LimitReport(
            requests: .init(limit: 60, remaining: 59), inputTokens: .init(limit: 150_000, remaining: 149_984))
        #expect(ChatRateLimits(minute).report == report)
        let day = headers([
            "x-ratelimit-limit-requests": "14400", "x-ratelimit-remaining-requests": "14370",
            "x-ratelimit-reset-requests": "2m59.56s",
        ])
        #expect(ChatRateLimits(day).report == nil && ChatRateLimits(headers([:])).report == nil)
    }

    @Test func `A 429 that names no delay waits for the limit that is empty`() {
        let fields = headers([
            "x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "8m",
            "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m3s", "x-request-id": "r-1",
        ])
        let outcome = format.outcome(of: [], status: 429, headers: fields, now: Timestamp(milliseconds: 0))
        #expect(outcome.result.refusal?.retryAfter?.delay == 63_000 && outcome.requestID == "r-1")
        let told = headers([
            "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "9s", "retry-after": "2",
        ])
        let other = format.outcome(of: [], status: 429, headers: told, now: Timestamp(milliseconds: 0))
        #expect(other.result.refusal?.retryAfter?.delay == 2000)
    }

    private let assumed = ChatAnswer.Assumed(model: "asked-for", requestBytes: 300)
    private var format: ChatFormat { ChatFormat(limit: 1 << 20, assumed: assumed) }

    private static func chunk(_ delta: String, finish: String = "null") -> String {
        #"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}],"usage":null}"#
            + "\n\n"
    }

    private func completion(_ message: String, _ finish: String, usage: String? = nil) -> String {
        #"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-x","choices":[{"index":0,"message":\#(message),"finish_reason":"\#(finish)"}],"usage":\#(usage ?? #"{"prompt_tokens":9,"completion_tokens":2}"#)}"#
    }

    private func whole(_ message: String, _ finish: String, usage: String? = nil) -> Outcome.Result {
        plain(completion(message, finish, usage: usage))
    }

    private func plain(_ body: String, status: Int = 200) -> Outcome.Result {
        format.outcome(
            of: Array(body.utf8), status: status, headers: headers([:]), now: Timestamp(milliseconds: 0)
        ).result
    }

    private func stream(_ text: String, pieces size: Int = .max) -> Outcome.Result {
        var answer = ChatStream(limit: 1 << 20, assuming: assumed)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = rest.prefix(size)
            rest = rest.dropFirst(piece.count)
            if let result = answer.take(Array(piece)) { return result }
        }
        return answer.end(nil)
    }
}
