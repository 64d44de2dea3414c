/// A request that is wrong in one way, and what must be said to it.
struct BadRequest {
    let name: String
    let method: String
    let path: String
    let body: [UInt8]
    let status: Int
    /// All of these must stand in the answer: they say what to do.
    let says: [String]

    init(
        _ name: String, _ target: String = "POST /v1/jobs", body: String = "", bytes: [UInt8]? = nil,
        gets status: Int, _ says: String...
    ) {
        self.name = name
        let words = target.split(separator: " ", maxSplits: 1).map(String.init)
        (method, path) = (words[0], words[1])
        self.body = bytes ?? Array(body.utf8)
        self.status = status
        self.says = says
    }

    static let all: [BadRequest] = bodies + fields + targets

    private static func prompt(_ bytes: [UInt8]) -> [UInt8] {
        Array(#"{"prompt":""#.utf8) + bytes + Array(#""}"#.utf8)
    }

    private static let bodies = [
        BadRequest("no body", gets: 400, "missing-body", "JSON"),
        BadRequest("not JSON", body: "Hello!", gets: 400, "invalid-json"),
        BadRequest("half of a document", body: #"{"prompt":"#, gets: 400, "invalid-json"),
        BadRequest("a key twice", body: #"{"prompt":"x","prompt":"y"}"#, gets: 400, "invalid-json"),
        BadRequest("a lone surrogate", body: #"{"prompt":"\ud800"}"#, gets: 400, "invalid-json"),
        BadRequest("text that is not UTF-8", bytes: prompt([0xC3, 0x28]), gets: 400, "invalid-json"),
        BadRequest(
            "100,000 brackets", bytes: [UInt8](repeating: UInt8(ascii: "["), count: 100_000), gets: 400,
            "invalid-json"),
        BadRequest(
            "40 MB", bytes: prompt([UInt8](repeating: UInt8(ascii: "x"), count: 40_000_000)), gets: 413,
            "too-large", "limit"),
    ]

    private static let fields = [
        BadRequest("a list", body: #"["x"]"#, gets: 400, "object"),
        BadRequest("a number for a prompt", body: #"{"prompt":7}"#, gets: 400, "invalid-field", "prompt"),
        BadRequest(
            "text for a priority", body: #"{"prompt":"x","priority":"high"}"#, gets: 400, "priority", "100"),
        BadRequest(
            "an unknown field", body: #"{"promt":"x"}"#, gets: 400, "unknown-field", "promt", "prompt"),
        BadRequest(
            "a NUL in a queue's name", body: #"{"prompt":"x","queue":"a\u0000b"}"#, gets: 400, "queue"),
    ]

    private static let targets = [
        BadRequest("an unknown state", "GET /v1/jobs?state=done", gets: 400, "state", "succeeded"),
        BadRequest("an unknown parameter", "GET /v1/jobs?stat=queued", gets: 400, "stat", "state"),
        BadRequest("a page of a million", "GET /v1/jobs?limit=1000000", gets: 400, "limit", "500"),
        BadRequest("a NUL in a path", "GET /v1/queues/a%00b", gets: 400, "path"),
        BadRequest("a broken escape in a path", "GET /v1/jobs/%zz", gets: 400, "path"),
        BadRequest("an unknown path", "GET /v1/jobs/a/b", gets: 404, "not-found"),
        BadRequest("an unknown job", "GET /v1/jobs/job_0000000000000", gets: 404, "unknown-job"),
        BadRequest("an id that is none", "GET /v1/jobs/17", gets: 404, "job"),
        BadRequest("a wrong method", "DELETE /v1/jobs", gets: 405, "GET", "POST"),
    ]
}
