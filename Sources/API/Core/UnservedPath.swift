/// A path at which there is nothing: in whose words that is said, and what its caller probably meant.
///
/// SDKs print the message of an error in their own shape and nothing of any other, and what is wrong is mostly a base URL.
struct UnservedPath {
    let path: [String]
    /// What is served without the slash at its end.
    private let served: Endpoint?

    init(_ path: [String]) {
        let plain = path.last == "" ? Array(path.dropLast()) : path
        self.path = plain
        served = plain.count < path.count ? Self.endpoint(at: plain) : nil
    }

    var errorFormat: ErrorFormat {
        if let served { return served.errorFormat }
        if Self.endpoint(at: ["v1"] + path)?.errorFormat.isCompatible == true { return .both }
        guard path.first == "v1", path.count > 1, !Self.ownRoots.contains(path[1]) else { return .renga }
        return .both
    }

    /// A sentence for people; `raw` is the path as it was sent.
    func detail(_ raw: String) -> String {
        let name = "“\(raw.prefix(200))”"
        if served != nil { return "there is nothing at \(name): leave out the slash at its end" }
        if path.starts(with: ["v1", "v1"]) {
            return "there is nothing at \(name): the base URL has one /v1 too many. \(Self.bases)"
        }
        guard errorFormat == .both else {
            return "there is nothing at \(name); docs/http-api.md lists all paths"
        }
        if path.first != "v1" {
            return "there is nothing at \(name): the base URL lacks /v1. \(Self.bases)"
        }
        let own = path == ["v1", "batches"] ? "; its own batches are at /v1/jobs/batches" : ""
        return "renga has no \(raw.prefix(200)); it serves \(Self.list)\(own)"
    }

    private static let bases =
        "The anthropic SDK wants http://HOST:PORT, the openai SDK http://HOST:PORT/v1"

    /// Everything that clients of a provider can call.
    private static let list: String = {
        var paths: [String] = []
        for endpoint in Endpoint.all where endpoint.errorFormat.isCompatible {
            let path = "/" + endpoint.pattern.joined(separator: "/")
            if !path.contains("{"), !paths.contains(path) { paths.append(path) }
        }
        return paths.dropLast().joined(separator: ", ") + " and " + (paths.last ?? "")
    }()

    /// What comes after `/v1/` in renga's own paths.
    private static let ownRoots = Set(
        Endpoint.all.filter { $0.errorFormat == .renga && $0.pattern.count > 1 }.map { $0.pattern[1] })

    private static func endpoint(at path: [String]) -> Endpoint? {
        Endpoint.all.first { $0.match(path) != nil }
    }
}

extension ErrorFormat {
    /// Whether a provider's clients read them.
    var isCompatible: Bool {
        switch self {
        case .messages, .completions, .both: true
        case .renga, .chat: false
        }
    }
}
