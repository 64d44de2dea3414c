import Crypto
import JSON
import Jobs

/// The work that all benchmarks are made of: requests of about 500 bytes, each with a prompt of its own.
enum Sample {
    static let model = "claude-haiku-4-5-20251001"

    /// Where a job's call goes; it needs no key.
    static func service(at url: String = "http://127.0.0.1:1") -> ServiceKey {
        ServiceKey(provider: "anthropic", endpoint: url, credential: "ANTHROPIC_API_KEY", simulated: false)
    }

    /// A Messages request.
    static func request(_ number: Int) -> [UInt8] {
        head + Array(String(number).utf8) + tail
    }

    /// The same as a job, as `POST /v1/jobs` and the lines of an upload want it.
    static func body(_ number: Int) -> [UInt8] {
        Array(#"{"request":"#.utf8) + request(number) + [UInt8(ascii: "}")]
    }

    /// The same as the API would hand it to the store.
    static func job(_ number: Int, for service: ServiceKey) throws -> NewJob {
        let request = request(number)
        let parsed = try JSON.parse(request)
        return NewJob(
            queue: "bench", request: request, route: RouteKey(service: service, model: model), maxTokens: 64,
            bound: CostBound(request: parsed), promptHash: PromptHash(request: parsed),
            fingerprint: SHA256.hash(request))
    }

    static func jobs(_ numbers: Range<Int>, for service: ServiceKey) throws -> [NewJob] {
        try numbers.map { try job($0, for: service) }
    }

    static func success(_ attempt: ClaimedAttempt) -> Settlement {
        Settlement(
            key: attempt.key, verdict: .succeeded, routeEvent: .succeeded,
            answer: Answer(
                body: answer, model: model, usage: Usage(inputTokens: 120, outputTokens: 4),
                stopReason: "end_turn"))
    }

    static func failure(_ attempt: ClaimedAttempt, _ type: String) -> Settlement {
        let error = JobError(type: type, message: "this cannot be done", status: 400, retryable: false)
        return Settlement(key: attempt.key, verdict: .failed(error), routeEvent: .neutral)
    }

    /// A Message as the provider sends it, some 400 bytes.
    static let answer = Array(
        """
        {"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"\(model)",\
        "content":[{"type":"text","text":"positive"}],"stop_reason":"end_turn","stop_sequence":null,\
        "usage":{"input_tokens":120,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,\
        "output_tokens":4,"service_tier":"standard"}}
        """.utf8)

    private static let head = Array(
        """
        {"model":"\(model)","max_tokens":64,"system":"One word: positive, negative or neutral.",\
        "messages":[{"role":"user","content":"Review 
        """.utf8)
    private static let tail = Array(
        (": The jacket came two days early and fits as the table of sizes promised. The colour is a little darker "
            + "than in the pictures, which I like. After three weeks of rain the seams are still dry; only the zip "
            + #"of the left pocket needs a little patience. For this price I would buy it again."}]}"#).utf8)
}
