/// Addresses of servers as people type them.
enum WebAddress {
    static let expectation = "an address such as http://127.0.0.1:8080, without query"

    /// The address in one form: scheme and host in lower case, no slash at the end.
    @Sendable static func parse(_ text: String) -> String? {
        guard let end = text.range(of: "://") else { return nil }
        let scheme = text[..<end.lowerBound].lowercased()
        let rest = text[end.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard ["http", "https"].contains(scheme), !authority.isEmpty, !authority.hasPrefix(":"),
            !rest.contains(where: { $0 == "?" || $0 == "#" || $0 == "@" }),
            rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), hasPort(authority)
        else { return nil }
        var path = rest.dropFirst(authority.count)
        while path.hasSuffix("/") { path.removeLast() }
        return "\(scheme)://\(authority.lowercased())\(path)"
    }

    /// Whether the port, if one is named, is one.
    private static func hasPort(_ authority: Substring) -> Bool {
        let end = authority.split(separator: "]", omittingEmptySubsequences: false).last ?? authority
        guard let colon = end.lastIndex(of: ":") else { return true }
        return Int(end[end.index(after: colon)...]).map { (1...65_535).contains($0) } ?? false
    }

    /// The same of where the Messages API is: without what each call adds, which other programs want in their settings.
    @Sendable static func messagesBase(_ text: String) -> String? {
        parse(text).map { without(["/v1/messages", "/v1"], $0) }
    }

    /// The same of where chat completions are, which is with `/v1`.
    @Sendable static func chatBase(_ text: String) -> String? {
        guard let address = parse(text).map({ without(["/chat/completions"], $0) }) else { return nil }
        return address == "https://api.openai.com" ? address + "/v1" : address
    }

    private static func without(_ endings: [String], _ address: String) -> String {
        var base = address[...]
        while let ending = endings.first(where: base.hasSuffix) {
            base = base.dropLast(ending.count)
            while base.hasSuffix("/") { base.removeLast() }
        }
        return String(base)
    }

    /// Addresses without a path, as browsers send them in `Origin`.
    @Sendable static func origins(_ text: String) -> [String]? {
        var origins: [String] = []
        for part in text.split(separator: ",") {
            let origin = String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            guard parse(origin) == origin, origin.split(separator: "/").count == 2 else { return nil }
            origins.append(origin)
        }
        return origins.isEmpty ? nil : origins
    }

    /// Names and addresses without ports, as `Host` has them; IPv6 without brackets.
    @Sendable static func hosts(_ text: String) -> [String]? {
        let hosts = text.split { $0 == "," || $0 == " " }.map { $0.lowercased() }
        let isName: (String) -> Bool = { host in
            !host.contains("/") && !host.contains("[") && host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
                && host.count(where: { $0 == ":" }) != 1
        }
        return hosts.isEmpty || !hosts.allSatisfy(isName) ? nil : hosts
    }
}

extension String {
    /// Where another text begins and ends in this one, at its first occurrence.
    fileprivate func range(of other: String) -> Range<Index>? {
        firstRange(of: other)
    }
}
