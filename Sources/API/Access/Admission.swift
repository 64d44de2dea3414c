import Crypto
import HTTPServer

/// Who may call.
extension API {
    /// Says who calls: the key if one is asked for, else the address.
    ///
    /// Throws if the key is missing or wrong, or a page of a foreign origin would change something.
    func admit(_ head: RequestHead) throws(Problem) -> String {
        let asksForKey = !settings.keyDigests.isEmpty
        if !asksForKey, head.path != ["health"] { try checkNames(head) }
        try checkOrigin(head)
        if !asksForKey || Self.isOpen(head) { return head.remoteAddress }
        let keys = Self.presentedKeys(head)
        guard !keys.isEmpty else {
            throw Self.unauthorized(
                "this server wants a key: send it as “x-api-key: KEY” or “authorization: Bearer KEY”")
        }
        if let accepted = accepted(keys) { return accepted }
        throw Self.unauthorized("the key in “x-api-key” or “authorization” is not one of this server's")
    }

    /// The first that is one of this server's.
    private func accepted(_ keys: [String]) -> String? {
        var accepted: String?
        for key in keys {
            let digest = SHA256.hash(Array(key.utf8))
            // All are compared, so that the time tells nothing about which one is near.
            let matches = settings.keyDigests.filter { constantTimeEquals($0, digest) }
            if !matches.isEmpty { accepted = accepted ?? key }
        }
        return accepted
    }

    static func isOpen(_ head: RequestHead) -> Bool {
        head.path == ["health"] || head.path == ["ready"]
    }

    /// Either header may hold the key: SDKs with a key of their provider's in the environment send both.
    static func presentedKeys(_ head: RequestHead) -> [String] {
        var keys: [String] = []
        keys += head.headers.all("x-api-key").filter { !$0.isEmpty }
        for value in head.headers.all("authorization") {
            let words = value.split(separator: " ", maxSplits: 1)
            if words.count == 2, words[0].lowercased() == "bearer" { keys.append(String(words[1])) }
        }
        return keys
    }

    private static func unauthorized(_ detail: String) -> Problem {
        Problem(.unauthorized, detail).withHeader("www-authenticate", "Bearer realm=\"renga\"")
    }

    /// A page in somebody's browser can post to a server on that machine without asking; its `Origin` gives it away.
    private func checkOrigin(_ head: RequestHead) throws(Problem) {
        guard let origin = head.headers["origin"], head.method != "GET", head.method != "HEAD",
            !settings.allowedOrigins.contains(origin), !Self.isOwn(origin, host: head.headers["host"])
        else { return }
        throw Problem(
            .originNotAllowed,
            "pages of “\(origin.prefix(200))” may not call; RENGA_CORS_ORIGINS lists those that may")
    }

    private static func isOwn(_ origin: String, host: String?) -> Bool {
        guard let host else { return false }
        return origin == "http://" + host || origin == "https://" + host
    }
}
