// The one table of what providers do wrong, and what comes of it.
//
// Each row is called plainly and as a stream, as Messages and as chat completions, unless it says otherwise: once to see
// what is read and judged, once by a worker over a store to see the job's history.

import RawServer

extension Fault {
    static let table = refusals + delays + connections + hangs + bodies + streams + heads + chunks + reuse

    /// What the provider does, in words and in deeds; verdict, word on the route, money; history.
    private static func row(
        _ name: String, _ provider: Provider, _ verdict: String, _ event: String, _ money: Money,
        _ history: String,
        _ calls: [CallKind] = CallKind.all, patience: Patience = .long, size: Int = 10, warmsUp: Bool = false
    ) -> Fault {
        Fault(
            name: name, provider: provider, verdict: verdict, event: event, money: money, history: history,
            calls: calls, patience: patience, size: size, warmsUp: warmsUp)
    }

    // MARK: Error answers

    private static let refusals = [
        row(
            "400", .simulated("status=400"), "failed invalid_request_error",
            "refused 400 invalid_request_error", .known, "failed"),
        row(
            "400 in words of a spend cap", .simulated("user-spend-cap"), "wait invalid_request_error",
            "spend cap suspected until a date", .known, "waited"),
        row(
            "401", .simulated("status=401"), "wait authentication_error", "unauthorized", .known,
            "waited, succeeded"),
        row("402", .simulated("status=402"), "wait billing_error", "spend cap", .known, "waited"),
        row("403", .simulated("status=403"), "failed permission_error", "forbidden", .known, "failed"),
        row(
            "404", .simulated("status=404"), "failed not_found_error", "refused 404 not_found_error", .known,
            "failed"),
        row(
            "405", .sends { _ in "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n" },
            "failed invalid_request_error", "refused 405 invalid_request_error", .known, "failed"),
        row(
            "408", .simulated("status=408"), "again timeout_error", "unavailable", .known, "again, succeeded"),
        row(
            "409", .simulated("status=409"), "again conflict_error", "unavailable", .known,
            "again, succeeded", CallKind.messages),
        row(
            "409 in a chat", .simulated("status=409"), "again invalid_request_error", "unavailable", .known,
            "again, succeeded", CallKind.chat),
        row(
            "410", .sends { _ in "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n" },
            "failed invalid_request_error", "refused 410 invalid_request_error", .known, "failed"),
        row(
            "413", .simulated("status=413"), "failed request_too_large", "refused 413 request_too_large",
            .known, "failed"),
        row(
            "413 while the question is still on its way", .scripted(Self.earlyRefusal),
            "failed request_too_large", "refused 413 request_too_large", .known, "failed", size: 4 << 20),
        row(
            "422", .simulated("status=422"), "failed invalid_request_error",
            "refused 422 invalid_request_error", .known, "failed"),
        row(
            "429", .simulated("status=429;retry-after=none"), "wait rate_limit_error", "rate limited", .known,
            "waited, succeeded"),
        row(
            "429 for the tier's spend cap", .simulated("spend-cap"), "wait rate_limit_error", "spend cap",
            .known, "waited"),
        row(
            "429 for growth that is too fast", .simulated("ramp"), "wait rate_limit_error",
            "rate limited 5000", .known, "waited"),
        row("500", .simulated("status=500"), "again api_error", "unavailable", .known, "again, succeeded"),
        row(
            "500 that asks not to be called again", .simulated("status=500;should-retry=false"),
            "again api_error", "unavailable", .known, "again, succeeded"),
        row(
            "502 with a page of HTML", .simulated("html502"), "again api_error", "unavailable", .known,
            "again, succeeded"),
        row(
            "503", .sends { $0.head("503 Down", length: 0) }, "again api_error", "unavailable", .known,
            "again, succeeded"),
        row(
            "503 that says overloaded",
            .sends { kind in "HTTP/1.1 503 Down\r\nContent-Length: 19\r\n\r\nWe are overloaded!!" },
            "again overloaded_error, never", "overloaded", .known, "again, succeeded"),
        row(
            "504", .simulated("status=504"), "again timeout_error", "unavailable", .known, "again, succeeded"),
        row(
            "529", .simulated("status=529"), "again overloaded_error, never", "overloaded", .known,
            "again, succeeded"),
        row("599", .simulated("status=599"), "again api_error", "unavailable", .known, "again, succeeded"),
        row(
            "A redirect",
            .sends { _ in
                "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
            }, "again api_error", "unavailable", .known, "again, succeeded"),
        row(
            "304", .sends { _ in "HTTP/1.1 304 Not Modified\r\n\r\n" }, "again api_error", "unavailable",
            .known, "again, succeeded"),
        row(
            "A status of its own making", .sends { $0.head("999 Blocked", length: 0) },
            "again api_error", "unavailable", .known, "again, succeeded"),
        row(
            "500 with endless words",
            .sends(.silence) {
                $0.head("500 Oops", length: 1 << 20) + String(repeating: "x", count: 1 << 20)
            }, "again api_error", "unavailable", .known, "again, succeeded"),
        row(
            "500 that breaks off", .sends { $0.head("500 Oops", length: 900) + "x" }, "again api_error",
            "unavailable", .known, "again, succeeded"),
        row(
            "429 whose connection is reset amid its words",
            .sends(.reset) { $0.head("429 Slow", length: 900, "retry-after: 7") + "x" },
            "wait rate_limit_error", "rate limited 7000", .known, "waited"),
        row(
            "529 that hangs amid its words", .sends(.silence) { $0.head("529 Busy", length: 900) + "x" },
            "again overloaded_error, never", "overloaded", .known, "again, succeeded", patience: .short),
        row(
            "401 that breaks off", .sends { $0.head("401 No", length: 900) + "x" },
            "wait authentication_error", "unauthorized", .known, "waited, succeeded"),
        row(
            "400 that breaks off, so that nobody knows why",
            .sends { $0.head("400 Bad", length: 900) + #"{"type":"err"# }, "again truncated_answer",
            "unavailable", .known, "again, succeeded"),
        row(
            "An error that says it is zipped and is not",
            .sends { $0.head("500 Oops", length: 3, "content-encoding: gzip") + "xyz" }, "again api_error",
            "unavailable", .known, "again, succeeded"),
        row(
            "An error that is not UTF-8",
            .sendsBytes { Array($0.head("500 Oops", length: 3).utf8) + [0xFF, 0xC3, 0x00] },
            "again api_error", "unavailable", .known, "again, succeeded"),
    ]

    /// Servers that close at once reset the connection, and the answer may be lost with it; this one lingers.
    private static let earlyRefusal: @Sendable (Peer, CallKind) -> Void = { peer, kind in
        let words = kind.error("request_too_large")
        guard peer.requestHead() != nil else { return }
        peer.send(
            "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: \(words.utf8.count)\r\n\r\n\(words)"
        )
        peer.untilClosed()
    }

    // MARK: How long to wait

    private static let delays = [
        row(
            "429 with retry-after", .simulated("status=429;retry-after=7"), "wait rate_limit_error",
            "rate limited 7000", .known, "waited"),
        row(
            "429 with retry-after-ms", .simulated("status=429;retry-after-ms=50;retry-after=60"),
            "wait rate_limit_error", "rate limited 50", .known, "waited, succeeded"),
        row(
            "429 with a fraction of a second", .simulated("status=429;retry-after=0.25"),
            "wait rate_limit_error", "rate limited 250", .known, "waited, succeeded"),
        row(
            "429 with retry-after of 0", .simulated("status=429;retry-after=0"), "wait rate_limit_error",
            "rate limited", .known, "waited, succeeded"),
        row(
            "429 with retry-after in the past", .simulated("status=429;retry-after=-3"),
            "wait rate_limit_error", "rate limited", .known, "waited, succeeded"),
        row(
            "429 with words for retry-after", .simulated("status=429;retry-after=soon"),
            "wait rate_limit_error", "rate limited", .known, "waited, succeeded"),
        row(
            "429 with a year for retry-after", .simulated("status=429;retry-after=31536000"),
            "wait rate_limit_error", "rate limited 86400000", .known, "waited"),
        row(
            "429 with more digits than a number has",
            .simulated("status=429;retry-after=99999999999999999999999"), "wait rate_limit_error",
            "rate limited 86400000", .known, "waited"),
        row(
            "429 with a date for retry-after",
            .sends {
                $0.head(
                    "429 Slow", length: 0, "date: Sun, 06 Nov 1994 08:49:37 GMT",
                    "retry-after: Sun, 06 Nov 1994 08:50:37 GMT")
            }, "wait rate_limit_error", "rate limited 60000", .known, "waited"),
        row(
            "429 with two values of retry-after",
            .sends { $0.head("429 Slow", length: 0, "retry-after: 7", "retry-after: 9") },
            "wait rate_limit_error", "rate limited 7000", .known, "waited"),
        row(
            "503 with retry-after", .sends { $0.head("503 Down", length: 0, "retry-after: 5") },
            "again api_error after 5000", "unavailable", .known, "again"),
        row(
            "529 with retry-after", .simulated("status=529;retry-after=5"),
            "again overloaded_error, never after 10000", "overloaded 5000", .known, "again"),
        row(
            "Limits that are no numbers",
            .sends {
                $0.head(
                    "200 OK", "anthropic-ratelimit-requests-limit: many",
                    "anthropic-ratelimit-input-tokens-remaining: -5",
                    "x-ratelimit-limit-requests: 99999999999999999999", "x-ratelimit-reset-tokens: soon")
                    + $0.body
            }, "succeeded", "succeeded", .known, "succeeded"),
    ]

    // MARK: Connections that break

    private static let connections = [
        row("Nobody listens", .absent, "again connection_error", "unavailable", .known, "again"),
        row(
            "The connection closes at once", .scripted { _, _ in }, "again connection_reset", "unavailable",
            .unconfirmedCost, "again, succeeded"),
        row(
            "The connection closes after the question", .sends { _ in "" }, "again connection_reset",
            "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "The connection closes before any header", .simulated("reset"), "again connection_reset",
            "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "The answer is paid for, and its connection dies before it is delivered",
            .simulated("drop-after"), "again connection_reset", "unavailable", .unconfirmedCost,
            "again, succeeded"),
        row(
            "A reset before the answer", .sends(.reset) { _ in "" }, "again connection_reset", "unavailable",
            .unconfirmedCost, "again, succeeded"),
        row(
            "A reset amid the head", .sends(.reset) { _ in "HTTP/1.1 200 OK\r\nContent-Ty" },
            "again connection_reset", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "A reset amid the body", .sends(.reset) { $0.head() + $0.body.prefix(40) },
            "again connection_reset", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "An end amid the head", .sends { _ in "HTTP/1.1 200 OK\r\nContent-Type: applic" },
            "again truncated_answer", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "An end after the head", .sends { $0.head() }, "again truncated_answer", "unavailable",
            .unconfirmedCost, "again, succeeded"),
        row(
            "An end amid the body", .simulated("truncate"), "again truncated_answer", "unavailable",
            .unconfirmedCost, "again, succeeded"),
        row(
            "An end inside a character",
            .sendsBytes { kind in Array(kind.head().utf8) + kind.body.utf8.prefix { $0 != 0xBC } },
            "again truncated_answer", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "Chunks without the last one",
            .sendsBytes { Array($0.chunked().utf8) + $0.body.chunks(end: "").dropLast(60) },
            "again truncated_answer", "unavailable", .unconfirmedCost, "again, succeeded"),
    ]

    // MARK: Connections that hang

    private static let hangs = [
        row(
            "Silence instead of an answer", .simulated("stall"), "again timeout_error", "unavailable",
            .unconfirmedCost, "again, succeeded", patience: .short),
        row(
            "Silence after the first header", .sends(.silence) { _ in "HTTP/1.1 200 OK\r\nDate: x\r\n" },
            "again timeout_error", "unavailable", .unconfirmedCost, "again, succeeded", patience: .short),
        row(
            "Silence after the head", .sends(.silence) { $0.head() }, "again timeout_error", "unavailable",
            .unconfirmedCost, "again, succeeded", patience: .short),
        row(
            "Silence amid the body", .simulated("stall-body"), "again timeout_error", "unavailable",
            .unconfirmedCost, "again, succeeded", patience: .short),
        row(
            "Silence between two events",
            .sends(.silence) { $0.chunked() + String(decoding: $0.events[0].chunks(end: ""), as: UTF8.self) },
            "again timeout_error", "unavailable", .unconfirmedCost, "again, succeeded", CallKind.streamed,
            patience: .short),
        row(
            "Pings for ever", .scripted(Self.pings), "again timeout_error", "unavailable", .unconfirmedCost,
            "again, succeeded", CallKind.streamed, patience: .short),
        row(
            "Only “100 Continue”", .sends(.silence) { _ in "HTTP/1.1 100 Continue\r\n\r\n" },
            "again timeout_error", "unavailable", .unconfirmedCost, "again, succeeded", patience: .short),
        row(
            "Bytes that drip", .drips(pause: 2) { kind in kind.answer.utf8.map { [$0] } }, "succeeded",
            "succeeded", .known, "succeeded"),
    ]

    private static let pings: @Sendable (Peer, CallKind) -> Void = { peer, kind in
        guard peer.request() != nil else { return }
        peer.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        while peer.send("event: ping\ndata: {\"type\": \"ping\"}\n\n") { peer.rest(milliseconds: 100) }
    }

    // MARK: Bodies of a 200

    private static let bodies = [
        row(
            "A stream by gzip whose sum is wrong",
            .sendsBytes {
                Array($0.head(length: $0.body.zipped.count, "content-encoding: gzip").utf8)
                    + $0.body.zipped.dropLast(8) + Array(repeating: 7, count: 8)
            }, "succeeded", "succeeded", .known, "succeeded", CallKind.streamed),
        row(
            "200 without a body", .simulated("empty"), "again malformed_answer", "unavailable",
            .unconfirmedCost,
            "again, succeeded", CallKind.plain),
        row(
            "200 as a stream without events", .simulated("empty"), "again truncated_answer", "unavailable",
            .unconfirmedCost, "again, succeeded", CallKind.streamed),
        row(
            "204", .sends { _ in "HTTP/1.1 204 No Content\r\n\r\n" }, "again malformed_answer", "unavailable",
            .unconfirmedCost, "again, succeeded", CallKind.plain),
        row(
            "200 that is no JSON", .simulated("malformed"), "again malformed_answer", "unavailable",
            .unconfirmedCost, "again, succeeded"),
        row(
            "200 with a page of HTML", .sends { $0.head(length: 18) + "<html>Hello</html>" },
            "again malformed_answer", "unavailable", .unconfirmedCost, "again, succeeded", CallKind.plain),
        row(
            "200 with a page of HTML for a stream", .sends { $0.head(length: 18) + "<html>Hello</html>" },
            "again truncated_answer", "unavailable", .unconfirmedCost, "again, succeeded", CallKind.streamed),
        row(
            "JSON that ends early, by a length that says so",
            .sends { $0.head(length: 50) + $0.body.prefix(50) }, "again malformed_answer", "unavailable",
            .unconfirmedCost, "again, succeeded", CallKind.plain),
        row(
            "JSON with something behind it",
            .sends { $0.head(length: $0.body.utf8.count + 2) + $0.body + "{}" }, "again malformed_answer",
            "unavailable", .unconfirmedCost, "again, succeeded", CallKind.plain),
        row(
            "A Message without its usage",
            .sends { kind in
                body(kind, #"{"type":"message","model":"m","content":[],"stop_reason":"end_turn"}"#)
            }, "again malformed_answer", "unavailable", .unconfirmedCost, "again, succeeded",
            CallKind.plainMessages
        ),
        row(
            "A Message without a stop reason",
            .sends { kind in
                body(
                    kind,
                    #"{"type":"message","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}"#
                )
            }, "again malformed_answer", "unavailable", .known, "again, succeeded", CallKind.plainMessages),
        row(
            "A completion without choices",
            .sends { body($0, #"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#) },
            "again malformed_answer", "unavailable", .known, "again, succeeded", CallKind.plainChat),
        row(
            "A completion without usage",
            .sends { body($0, #"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}"#) },
            "succeeded", "succeeded", .known, "succeeded", CallKind.plainChat),
        row(
            "Members, blocks and nulls that nobody knows",
            .sends {
                body(
                    $0,
                    #"{"type":"message","model":"m","content":[{"type":"dream","depth":[1,{}]}],"stop_reason":"woke_up","container":null,"usage":{"input_tokens":1,"output_tokens":1,"server_tool_use":null,"dreams":3}}"#
                )
            }, "succeeded", "succeeded", .known, "succeeded", CallKind.plainMessages),
        row(
            "200 with an error in it", .sends { body($0, $0.error("overloaded_error")) },
            "again overloaded_error, never", "overloaded", .known, "again, succeeded", CallKind.plain),
        row(
            "200 that is cut by max_tokens", .simulated("max-tokens"), "succeeded", "succeeded", .known,
            "succeeded"),
        row("A refusal of the model", .simulated("refusal"), "succeeded", "succeeded", .known, "succeeded"),
        row(
            "A pause of the provider's tools", .simulated("pause-turn"), "succeeded", "succeeded", .known,
            "succeeded"),
        row(
            "The wrong content type",
            .sends {
                "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: \($0.body.utf8.count)\r\n\r\n"
                    + $0.body
            }, "succeeded", "succeeded", .known, "succeeded"),
        row(
            "No content type at all",
            .sends { "HTTP/1.1 200 OK\r\nContent-Length: \($0.body.utf8.count)\r\n\r\n" + $0.body },
            "succeeded", "succeeded", .known, "succeeded"),
        row(
            "A body by gzip",
            .sendsBytes {
                Array($0.head(length: $0.body.zipped.count, "content-encoding: gzip").utf8) + $0.body.zipped
            }, "succeeded", "succeeded", .known, "succeeded"),
        row(
            "A body by gzip that is none", .sends { $0.head("200 OK", "content-encoding: gzip") + $0.body },
            "again malformed_answer", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "A body by gzip whose sum is wrong",
            .sendsBytes {
                Array($0.head(length: $0.body.zipped.count, "content-encoding: gzip").utf8)
                    + $0.body.zipped.dropLast(8) + Array(repeating: 7, count: 8)
            }, "again malformed_answer", "unavailable", .unconfirmedCost, "again, succeeded", CallKind.plain),
        row(
            "A body by gzip that ends early",
            .sendsBytes {
                Array($0.head(length: 60, "content-encoding: gzip").utf8) + $0.body.zipped.prefix(60)
            }, "again malformed_answer", "unavailable", .unconfirmedCost, "again, succeeded", CallKind.plain),
        row(
            "An encoding that nobody knows",
            .sends { $0.head("200 OK", "content-encoding: rot13") + $0.body }, "again malformed_answer",
            "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "More answer than is kept",
            .sends { $0.head(length: 1 << 17) + String(repeating: "x", count: 1 << 17) },
            "again answer_too_large, counted", "neutral", .unconfirmedCost, "again, succeeded", CallKind.plain
        ),
    ]

    private static func body(_ kind: CallKind, _ body: String) -> String {
        kind.head(length: body.utf8.count) + body
    }

    // MARK: Streams

    private static func stream(
        _ name: String, _ verdict: String, _ event: String, _ money: Money, _ history: String,
        _ calls: [CallKind] = CallKind.streamed, _ text: @escaping @Sendable (CallKind, [String]) -> String
    ) -> Fault {
        row(name, .sends { body($0, text($0, $0.events)) }, verdict, event, money, history, calls)
    }

    private static let streams = [
        row(
            "A stream that ends cleanly before its end", .simulated("early-end"), "again truncated_answer",
            "unavailable", .unconfirmedCost, "again, succeeded", CallKind.streamed),
        stream(
            "A clean end right before the last event", "again truncated_answer", "unavailable", .known,
            "again, succeeded", CallKind.streamedMessages
        ) { _, events in events.dropLast().joined() },
        row(
            "A stream that ends by an error", .simulated("error-event"), "again overloaded_error, never",
            "overloaded", .unconfirmedCost, "again, succeeded", CallKind.streamed),
        stream(
            "An end after the first event", "again truncated_answer", "unavailable", .unconfirmedCost,
            "again, succeeded"
        ) { _, events in events[0] },
        stream(
            "An end before the usage", "again truncated_answer", "unavailable", .unconfirmedCost,
            "again, succeeded", CallKind.streamedMessages
        ) { _, events in events.dropLast(2).joined() },
        stream("The end comes twice", "succeeded", "succeeded", .known, "succeeded") { _, events in
            events.joined() + (events.last ?? "")
        },
        stream("Garbage behind the end", "succeeded", "succeeded", .known, "succeeded") { _, events in
            events.joined() + "data: {{{\n\n"
        },
        stream("An end without its empty line", "succeeded", "succeeded", .known, "succeeded") { _, events in
            String(events.joined().dropLast(2))
        },
        stream("No [DONE]", "succeeded", "succeeded", .known, "succeeded", CallKind.streamedChat) {
            _, events in events.dropLast().joined()
        },
        stream(
            "An error as the first event", "again overloaded_error, never", "overloaded", .known,
            "again, succeeded"
        ) { kind, _ in kind.errorEvent("overloaded_error") },
        stream(
            "A rate limit amid the stream", "wait rate_limit_error", "rate limited", .unconfirmedCost,
            "waited, succeeded"
        ) { kind, events in events[0] + events[1] + events[2] + kind.errorEvent("rate_limit_error") },
        stream(
            "A bad request as the first event", "failed invalid_request_error",
            "refused 400 invalid_request_error", .known, "failed"
        ) { kind, _ in kind.errorEvent("invalid_request_error") },
        stream(
            "An error of a type that nobody knows", "again strange_error", "unavailable", .unconfirmedCost,
            "again, succeeded", CallKind.streamedMessages
        ) { kind, events in events[0] + kind.errorEvent("strange_error") },
        stream("An error that is no object", "again api_error", "unavailable", .known, "again, succeeded") {
            kind, events in
            kind.dialect == .messages
                ? "event: error\ndata: {\"error\":\"bad\"}\n\n" : "data: {\"error\":\"bad\"}\n\n"
        },
        stream(
            "Events that nobody knows", "succeeded", "succeeded", .known, "succeeded",
            CallKind.streamedMessages
        ) { _, events in
            CallKind.event("dream") + events.joined(separator: "event: noise\ndata: not JSON\n\n")
        },
        stream("Pings and comments", "succeeded", "succeeded", .known, "succeeded", CallKind.streamedMessages)
        { _, events in events.joined(separator: ": keep-alive\n\n" + CallKind.event("ping")) },
        stream("Comments in a chat", "succeeded", "succeeded", .known, "succeeded", CallKind.streamedChat) {
            _, events in events.joined(separator: ": OPENROUTER PROCESSING\n\n")
        },
        stream(
            "Lines that end in CR and LF, and no space after the colon", "succeeded", "succeeded", .known,
            "succeeded"
        ) { _, events in events.joined().replacing(": ", with: ":").replacing("\n", with: "\r\n") },
        stream("A byte order mark first", "succeeded", "succeeded", .known, "succeeded") { _, events in
            "\u{FEFF}" + events.joined()
        },
        stream("No names of events", "succeeded", "succeeded", .known, "succeeded", CallKind.streamedMessages)
        { _, events in
            events.joined().split(separator: "\n", omittingEmptySubsequences: false).filter {
                !$0.hasPrefix("event:")
            }.joined(separator: "\n")
        },
        stream("Plain JSON instead of a stream", "succeeded", "succeeded", .known, "succeeded") { kind, _ in
            CallKind(dialect: kind.dialect, streams: false).body
        },
        row(
            "A stream instead of plain JSON",
            .sends { body($0, CallKind(dialect: $0.dialect, streams: true).body) }, "again malformed_answer",
            "unavailable", .unconfirmedCost, "again, succeeded", CallKind.plain),
        stream(
            "The first event twice", "again malformed_answer", "unavailable", .unconfirmedCost,
            "again, succeeded",
            CallKind.streamedMessages
        ) { _, events in events[0] + events.joined() },
        stream(
            "A block that begins twice", "again malformed_answer", "unavailable", .unconfirmedCost,
            "again, succeeded", CallKind.streamedMessages
        ) { _, events in events.prefix(3).joined() + events.dropFirst().joined() },
        stream(
            "The last usage twice", "succeeded", "succeeded", .known, "succeeded", CallKind.streamedMessages
        ) { _, events in events.dropLast().joined() + events[4] + events[5] },
        stream(
            "A delta before its block", "again malformed_answer", "unavailable", .unconfirmedCost,
            "again, succeeded", CallKind.streamedMessages
        ) { _, events in events[0] + events[2] },
        stream(
            "A delta after the end of its block", "succeeded", "succeeded", .known, "succeeded",
            CallKind.streamedMessages
        ) { _, events in events.prefix(4).joined() + events[2] + events[4] + events[5] },
        stream(
            "The end without a stop reason", "again malformed_answer", "unavailable", .unconfirmedCost,
            "again, succeeded", CallKind.streamedMessages
        ) { _, events in events.prefix(4).joined() + events[5] },
        stream(
            "[DONE] without a finish reason", "again malformed_answer", "unavailable", .unconfirmedCost,
            "again, succeeded", CallKind.streamedChat
        ) { _, events in events.prefix(3).joined() + events[5] },
        stream(
            "An event that is cut", "again malformed_answer", "unavailable", .unconfirmedCost,
            "again, succeeded"
        ) { _, events in events[0] + events[2].dropLast(9) + "\n\n" + events.dropFirst(3).joined() },
        stream(
            "One event larger than is kept", "again answer_too_large, counted", "neutral", .unconfirmedCost,
            "again, succeeded"
        ) { _, events in
            events[0] + "data: " + String(repeating: "x", count: 1 << 17) + "\n\n"
                + events.dropFirst().joined()
        },
        stream(
            "More events than are kept", "again answer_too_large, counted", "neutral", .unconfirmedCost,
            "again, succeeded"
        ) { _, events in
            events[0] + events[1] + String(repeating: events[2], count: 1 << 14)
                + events.dropFirst(3).joined()
        },
        row(
            "Events cut at every byte",
            .drips(pause: 1) { kind in [Array(kind.head().utf8)] + kind.body.utf8.map { [$0] } }, "succeeded",
            "succeeded", .known, "succeeded", CallKind.streamed),
    ]

    // MARK: Heads

    private static let heads = [
        row(
            "No HTTP at all", .sends { _ in "SSH-2.0-OpenSSH_9.2\r\n" }, "again malformed_answer",
            "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "A status that is no number", .sends { "HTTP/1.1 OK\r\n\r\n" + $0.body },
            "again malformed_answer", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "HTTP/1.0, ended by its close", .sends { "HTTP/1.0 200 OK\r\n\r\n" + $0.body }, "succeeded",
            "succeeded", .known, "succeeded"),
        row(
            "Lines that end in LF alone", .sends { $0.head().replacing("\r\n", with: "\n") + $0.body },
            "succeeded", "succeeded", .known, "succeeded"),
        row(
            "A status without words", .sends { $0.head("200") + $0.body }, "succeeded", "succeeded", .known,
            "succeeded"),
        row(
            "A header that is folded", .sends { $0.head("200 OK", "x-long: a\r\n b") + $0.body }, "succeeded",
            "succeeded", .known, "succeeded"),
        row(
            "A header that is not UTF-8",
            .sendsBytes {
                Array("HTTP/1.1 200 OK\r\nx-odd: ".utf8) + [0xFF, 0xE9]
                    + Array("\r\nContent-Length: \($0.body.utf8.count)\r\n\r\n\($0.body)".utf8)
            }, "succeeded", "succeeded", .known, "succeeded"),
        row(
            "A header without a colon", .sends { $0.head("200 OK", "nonsense") + $0.body },
            "again malformed_answer", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "A head without end",
            .sends(.silence) { _ in
                "HTTP/1.1 200 OK\r\n"
                    + String(repeating: "x: \(String(repeating: "y", count: 1000))\r\n", count: 400)
            }, "again malformed_answer", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "“100 Continue” first", .sends { "HTTP/1.1 100 Continue\r\n\r\n" + $0.answer }, "succeeded",
            "succeeded", .known, "succeeded"),
        row(
            "Early hints, whose headers are not the answer's",
            .sends { "HTTP/1.1 103 Early Hints\r\nretry-after: 9\r\n\r\n" + $0.head("429 Slow", length: 0) },
            "wait rate_limit_error", "rate limited", .known, "waited, succeeded"),
        row(
            "102 and then the end", .sends { _ in "HTTP/1.1 102 Processing\r\n\r\n" },
            "again connection_reset", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "101, which nobody asked for",
            .sends { "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + $0.body },
            "again truncated_answer", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "A thousand heads of 1xx",
            .sends { String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 1000) + $0.answer },
            "succeeded", "succeeded", .known, "succeeded"),
        row(
            "Less length than body", .sends { $0.head(length: 30) + $0.body }, "again malformed_answer",
            "unavailable", .unconfirmedCost, "again, succeeded", CallKind.plain),
        row(
            "More length than body", .sends { $0.head(length: $0.body.utf8.count + 40) + $0.body },
            "again truncated_answer", "unavailable", .unconfirmedCost, "again, succeeded", CallKind.plain),
        row(
            "Two lengths that differ", .sends { $0.head("200 OK", "Content-Length: 3") + $0.body },
            "again malformed_answer", "unavailable", .unconfirmedCost, "again, succeeded", CallKind.plain),
        row(
            "A length below zero", .sends { "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + $0.body },
            "again malformed_answer", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "A length that is no number",
            .sends { "HTTP/1.1 200 OK\r\nContent-Length: long\r\n\r\n" + $0.body }, "again malformed_answer",
            "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "A length and chunks",
            .sendsBytes { Array($0.chunked("Content-Length: 5").utf8) + $0.body.chunks() }, "succeeded",
            "succeeded", .known, "succeeded"),
        row(
            "An answer that says it closes", .sends { $0.head("200 OK", "Connection: close") + $0.body },
            "succeeded", "succeeded", .known, "succeeded"),
    ]

    // MARK: Chunks

    private static let chunks = [
        row(
            "Chunks with extensions and trailers",
            .sends { kind in
                "\(kind.chunked())\(String(kind.body.utf8.count, radix: 16));x=\"y\"\r\n\(kind.body)\r\n0\r\nretry-after: 9\r\n\r\n"
            }, "succeeded", "succeeded", .known, "succeeded"),
        row(
            "Chunks that are cut inside characters",
            .sendsBytes { Array($0.chunked().utf8) + $0.body.chunks(of: 1) }, "succeeded", "succeeded",
            .known, "succeeded"),
        row(
            "A chunk whose size is no number", .sends { $0.chunked() + "three\r\nabc\r\n0\r\n\r\n" },
            "again connection_reset", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "A chunk whose size is beyond all numbers",
            .sends { $0.chunked() + "fffffffffffffffffffff\r\nabc\r\n0\r\n\r\n" }, "again connection_reset",
            "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "A chunk that is shorter than its size", .sends { $0.chunked() + "ff\r\nabc\r\n0\r\n\r\n" },
            "again truncated_answer", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "A chunk that is longer than its size", .sends { $0.chunked() + "3\r\n\($0.body)\r\n0\r\n\r\n" },
            "again connection_reset", "unavailable", .unconfirmedCost, "again, succeeded"),
        row(
            "Chunks by gzip",
            .sendsBytes { kind in
                Array(kind.chunked("content-encoding: gzip").utf8)
                    + Array("\(String(kind.body.zipped.count, radix: 16))\r\n".utf8) + kind.body.zipped
                    + Array("\r\n0\r\n\r\n".utf8)
            }, "succeeded", "succeeded", .known, "succeeded"),
        row(
            "An end amid the last chunk, the answer whole",
            .sendsBytes { Array($0.chunked().utf8) + $0.body.chunks(end: "") }, "succeeded", "succeeded",
            .known, "succeeded", CallKind.streamed),
    ]

    // MARK: Connections that are used again

    private static let reuse = [
        row(
            "A kept connection that closed meanwhile",
            .scripted { peer, kind in
                guard peer.request() != nil else { return }
                peer.sendLast(kind.answer)
            }, "succeeded", "succeeded", .known, "succeeded", warmsUp: true),
        row(
            "A kept connection that closes as the question comes",
            .scripted { peer, kind in
                guard peer.request() != nil else { return }
                peer.send(kind.answer)
                _ = peer.request()
            }, "again connection_reset", "unavailable", .unconfirmedCost, "again, succeeded", warmsUp: true),
        row(
            "A kept connection that says 408 unasked and closes",
            .scripted { peer, kind in
                guard peer.request() != nil else { return }
                peer.send(
                    kind.answer
                        + "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            }, "succeeded", "succeeded", .known, "succeeded", warmsUp: true),
        row(
            "An answer that follows another on one connection",
            .scripted { peer, kind in
                guard peer.request() != nil else { return }
                peer.send(kind.answer + kind.head("500 Oops", length: 0))
                peer.untilClosed()
            }, "succeeded", "succeeded", .known, "succeeded", warmsUp: true),
    ]
}
