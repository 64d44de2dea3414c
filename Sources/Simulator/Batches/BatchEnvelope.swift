import JSON

/// The body that makes a batch: its rows are named and there, but not looked into.
struct BatchEnvelope: Sendable {
    struct Request: Sendable {
        let customID: String
        /// As sent; it shares the body's memory.
        let params: ArraySlice<UInt8>
    }

    static let maximumRequests = 100_000
    private static let longestID = 64

    let requests: [Request]
    /// How much memory it holds.
    let size: Int
    let digest: Digest

    /// Throws 400 for what is wrong with the envelope; what is wrong with a row's `params` shows in its result.
    init(parsing bytes: [UInt8], digest: Digest) throws(APIError) {
        let body = try MessagesCall.parse(bytes)
        for (name, _) in body.members ?? [] where name != "requests" {
            throw .invalid("\(name): Extra inputs are not permitted")
        }
        guard let list = body["requests"] else { throw .invalid("requests: Field required") }
        guard let elements = list.elements else { throw .invalid("requests: Input should be a valid list") }
        guard !elements.isEmpty else { throw .invalid("requests: List should have at least 1 item") }
        guard elements.count <= Self.maximumRequests else {
            throw .invalid("requests: List should have at most \(Self.maximumRequests) items")
        }
        var requests: [Request] = []
        requests.reserveCapacity(elements.count)
        var names: Set<String> = []
        for (index, element) in elements.enumerated() {
            let request = try Self.request(element, "requests.\(index)")
            guard names.insert(request.customID).inserted else {
                throw .invalid("requests.\(index).custom_id: \(request.customID) is not unique")
            }
            requests.append(request)
        }
        self.requests = requests
        size = bytes.count
        self.digest = digest
    }

    private static func request(_ element: JSON, _ path: String) throws(APIError) -> Request {
        guard let members = element.members else { throw .invalid("\(path): Input should be an object") }
        for (name, _) in members where name != "custom_id" && name != "params" {
            throw .invalid("\(path).\(name): Extra inputs are not permitted")
        }
        guard let name = element["custom_id"] else { throw .invalid("\(path).custom_id: Field required") }
        guard let customID = name.string, customID.isPlain,
            (1...longestID).contains(customID.utf8.count)
        else {
            throw .invalid("\(path).custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'")
        }
        guard let params = element["params"] else { throw .invalid("\(path).params: Field required") }
        guard params.kind == .object else { throw .invalid("\(path).params: Input should be an object") }
        return Request(customID: customID, params: params.raw)
    }
}
