import HTTPClient
import Jobs
import Testing

@testable import Models

@Suite struct AnswerTests {
    private static let now = Timestamp(milliseconds: 1_790_000_000_000)

    private func read(_ body: String, status: Int = 200, headers: HTTPHeaders = HTTPHeaders()) -> Outcome {
        Outcome(reading: Array(body.utf8), status: status, headers: headers, now: Self.now)
    }

    @Test func `A Message is kept byte for byte, with its usage`() throws {
        let answer = try #require(read(Sample.message).result.answer)
        #expect(answer.body == Array(Sample.message.utf8))
        #expect(answer.model == "claude-haiku-4-5-20251001" && answer.stopReason == "end_turn")
        #expect(
            answer.usage
                == Usage(
                    inputTokens: 21, outputTokens: 4, cacheWriteTokens: 30, cacheWrite1hTokens: 20,
                    cacheReadTokens: 7))
    }

    @Test func `Usage needs input and output only, and is never negative`() {
        func usage(_ text: String) -> Usage? {
            read(#"{"type":"message","model":"m","stop_reason":"x","content":[],"usage":\#(text)}"#)
                .result.answer?.usage
        }
        #expect(usage(#"{"input_tokens":1,"output_tokens":2}"#) == Usage(inputTokens: 1, outputTokens: 2))
        #expect(usage(#"{"input_tokens":-1,"output_tokens":2,"cache_creation":null}"#)?.inputTokens == 0)
        #expect(
            usage(
                #"{"input_tokens":1,"output_tokens":2,"cache_creation":{"ephemeral_1h_input_tokens":5}}"#)
                == Usage(inputTokens: 1, outputTokens: 2, cacheWriteTokens: 5, cacheWrite1hTokens: 5))
        #expect(usage(#"{"output_tokens":2}"#) == nil)
        for (text, tokens) in [
            ("1e30", 1_000_000_000), ("1.5", 2), ("10000000000000000000", 1_000_000_000),
            ("-1e30", 0), ("1e999", 1_000_000_000), ("-1e999", 0), ("-0.0", 0),
        ] as [(String, Int64)] {
            #expect(usage(#"{"input_tokens":\#(text),"output_tokens":2}"#)?.inputTokens == tokens, "\(text)")
        }
        #expect(
            usage(
                #"{"input_tokens":1,"output_tokens":2,"service_tier":"batch","inference_geo":"us","#
                    + #""server_tool_use":{"web_search_requests":3,"web_fetch_requests":9}}"#)
                == Usage(inputTokens: 1, outputTokens: 2, isBatch: true, isInUS: true, webSearches: 3))
        #expect(
            usage(
                #"{"input_tokens":1,"output_tokens":2,"service_tier":"standard","inference_geo":"global","server_tool_use":null}"#
            ) == Usage(inputTokens: 1, outputTokens: 2))
    }

    @Test func `Counts beyond all reason still make a sum of money`() throws {
        let text =
            #"{"type":"message","model":"m","stop_reason":"x","content":[],"#
            + #""usage":{"input_tokens":9000000000000000000,"output_tokens":9000000000000000000}}"#
        let usage = try #require(read(text).result.answer?.usage)
        let price = try #require(PriceTable.price(of: "claude-opus-4-1"))
        #expect(price.cost(of: usage).nanodollars > 0)
    }

    @Test(arguments: [
        "", " ", "null", "[]", "{}", "<html>hello</html>", #"{"type":"message"}"#,
        Sample.message.dropLast(1) + "",
        #"{"type":"message","model":"m","stop_reason":"x","content":[]}"#,
        #"{"type":"message","model":"m","stop_reason":null,"content":[],"usage":{"input_tokens":1,"output_tokens":1}}"#,
        #"{"type":"message","model":"m","stop_reason":"x","content":"","usage":{"input_tokens":1,"output_tokens":1}}"#,
        "\u{FEFF}" + Sample.message,
    ])
    func `A success that is not a Message is malformed`(body: String) {
        let breakage = read(body).result.breakage
        #expect(breakage?.kind == .malformed && breakage?.maySent == true)
    }

    @Test func `An error without words is told by its type`() {
        let refusal = read(#"{"type":"error","error":{"type":"overloaded_error","message":" "}}"#).result
            .refusal
        #expect(refusal?.message == "overloaded_error")
        #expect(read(#"{"error":{}}"#).result.refusal?.message == "an error without words")
    }

    @Test func `A success that holds an error is a refusal`() {
        let refusal = read(#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#).result
            .refusal
        #expect(refusal == Refusal(status: 200, type: "overloaded_error", message: "m"))
    }

    @Test(arguments: [
        (
            #"{"type":"error","error":{"type":"rate_limit_error","message":"Slow","details":{"error_code":"ramp"}}}"#,
            Refusal(status: 500, type: "rate_limit_error", code: "ramp", message: "Slow")
        ),
        (#"{"error":{"message":"x\ny"}}"#, Refusal(status: 500, type: nil, message: "x y")),
        (
            "<html><head><title>502 Bad Gateway</title><style>p{}</style></head><body><p>cloud\n flare</p><script>1<2</script>",
            Refusal(status: 500, type: nil, message: "502 Bad Gateway cloud flare")
        ),
        ("upstream connect error", Refusal(status: 500, type: nil, message: "upstream connect error")),
        ("", Refusal(status: 500, type: nil, message: "HTTP 500")),
        ("<", Refusal(status: 500, type: nil, message: "HTTP 500")),
        (#"{"error":"text"}"#, Refusal(status: 500, type: nil, message: #"{"error":"text"}"#)),
    ])
    func `Errors are read in the provider's form, as HTML and as text`(body: String, refusal: Refusal) {
        #expect(read(body, status: 500).result.refusal == refusal)
    }

    @Test func `A message is cut to 500 characters`() throws {
        let text = String(repeating: "wörd ", count: 10_000)
        let message = try #require(read("<b>" + text, status: 502).result.refusal?.message)
        #expect(message.count == 500 && message.hasSuffix("…"))
        #expect(read(String(repeating: "x", count: 500), status: 502).result.refusal?.message.count == 500)
    }

    @Test func `The request id is taken from the header, or else from the body`() {
        #expect(read("", status: 500, headers: headers(["Request-Id": "req_1"])).requestID == "req_1")
        #expect(read(#"{"error":{},"request_id":"req_2"}"#, status: 500).requestID == "req_2")
        #expect(read(Sample.message, headers: headers(["request-id": "req_3"])).requestID == "req_3")
    }

    @Test func `The rate limits that an answer names are reported`() {
        let outcome = read(
            Sample.message,
            headers: headers([
                "Anthropic-RateLimit-Requests-Limit": "1000", "anthropic-ratelimit-requests-remaining": "997",
                "anthropic-ratelimit-input-tokens-limit": "2000000",
                "anthropic-ratelimit-output-tokens-limit": "many", "anthropic-ratelimit-tokens-limit": "5",
            ]))
        #expect(
            outcome.limits
                == LimitReport(
                    requests: .init(limit: 1000, remaining: 997),
                    inputTokens: .init(limit: 2_000_000, remaining: nil)))
        #expect(read(Sample.message).limits == nil)
        #expect(
            read("", status: 429, headers: headers(["anthropic-ratelimit-requests-limit": "0"])).limits == nil
        )
    }

    @Test(
        arguments: [
            ("7", 7000), ("0.25", 250), (" 7", nil), ("0", nil), ("-3", nil), ("soon", nil), ("nan", nil),
            ("1e3", nil),
            ("", nil), ("99999", 86_400_000), ("99999999999999999999", 86_400_000), ("1.2.3", nil),
            (".", nil),
            ("Mon, 21 Sep 2026 14:13:25 GMT", 5000), ("Mon, 21 Sep 2026 14:13:20 GMT", nil),
            ("Sun, 06 Nov 1994 08:49:37 GMT", nil), ("Thu, 01 Jan 2099 00:00:00 GMT", 86_400_000),
            ("Mon, 31 Feb 2027 00:00:00 GMT", nil), ("2027-01-01T00:00:00Z", nil),
        ] as [(String, Milliseconds?)])
    func `retry-after is read in all its forms, and nonsense is dropped`(value: String, delay: Milliseconds?)
    {
        let refusal = read("", status: 429, headers: headers(["Retry-After": value])).result.refusal
        #expect(refusal?.retryAfter?.delay == delay)
    }

    @Test func `retry-after-ms goes before retry-after, and a date is measured by the server's clock`() {
        func delay(_ fields: KeyValuePairs<String, String>) -> Milliseconds? {
            RetryAfter(headers(fields), now: Self.now)?.delay
        }
        #expect(delay(["retry-after": "9", "retry-after-ms": "12.5"]) == 13)
        #expect(delay(["retry-after": "9", "retry-after-ms": "-1"]) == 9000)
        #expect(
            delay(["retry-after": "Thu, 01 Jan 2099 00:01:00 GMT", "date": "Thu, 01 Jan 2099 00:00:00 GMT"])
                == 60_000)
    }

    @Test(
        arguments: [
            (.resolve, .unreachable), (.connect, .unreachable), (.connectTimeout, .unreachable),
            (.tls, .unreachable),
            (.writeTimeout, .timeout), (.idleTimeout, .timeout), (.callTimeout, .timeout), (.reset, .reset),
            (.truncated, .truncated), (.tooLarge, .tooLarge), (.protocolError, .malformed), (.cancelled, nil),
        ] as [(HTTPClientError.Code, Breakage.Kind?)])
    func `A failed transfer keeps its kind and whether it was sent`(
        code: HTTPClientError.Code, kind: Breakage.Kind?
    ) {
        for sent in [true, false] {
            let result = Outcome.Result(HTTPClientError(code: code, message: "m", maySent: sent), usage: nil)
            #expect(result.breakage?.kind == kind)
            guard kind == nil else {
                #expect(result.breakage?.maySent == sent)
                continue
            }
            guard case .abandoned(sent) = result else {
                Issue.record("\(result)")
                return
            }
        }
    }
}
