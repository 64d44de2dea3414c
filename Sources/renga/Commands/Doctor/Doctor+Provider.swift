import HTTPClient
import Jobs
import Models

extension Doctor {
    /// Beyond it TLS certificates and `retry-after` dates begin to look wrong.
    private static let clockTolerance: Milliseconds = 60_000

    /// Asks each provider that may be called for its list of models, which costs nothing; all its addresses.
    func reach(_ providers: Providers, _ authorities: Authorities) async -> [Finding] {
        var findings: [Finding] = []
        var date: String?
        let client = HTTPClient(authorities: authorities)
        for provider in providers.all {
            for url in provider.baseURLs {
                let (finding, found) = await reach(provider, at: url, client)
                findings.append(finding)
                date = date ?? found
            }
        }
        client.shutdown()
        return findings + [clock(date)]
    }

    private func reach(_ provider: Provider, at url: String, _ client: HTTPClient) async -> (Finding, String?)
    {
        let request = HTTPRequest(
            method: "GET", url: url + (provider.terms.kind == .anthropic ? "/v1/models" : "/models"),
            headers: headers(provider), timeouts: .init(connect: 5, write: 5, idle: 5, call: 10))
        do {
            let response = try await client.send(request)
            return (answer(response.status, url, provider), response.headers["date"])
        } catch let error as HTTPClientError where error.code == .tls {
            let cure = TLSTrouble(error, at: url, trusting: invocation.authoritySource).text
            return (.broken("provider \(provider.terms.name)", cure), nil)
        } catch {
            let finding = Finding.broken(
                "provider \(provider.terms.name)",
                "no answer from \(url) (\(error)); check the address and the network")
            return (finding, nil)
        }
    }

    private func headers(_ provider: Provider) -> [(String, String)] {
        guard let secret = provider.secret else { return [] }
        switch provider.terms.kind {
        case .anthropic:
            return [("x-api-key", secret.reveal()), ("anthropic-version", provider.terms.apiVersion)]
        case .openai: return [("authorization", "Bearer " + secret.reveal())]
        }
    }

    private func answer(_ status: Int, _ url: String, _ provider: Provider) -> Finding {
        let subject = "provider \(provider.terms.name)"
        let hasKey = provider.secret != nil
        switch status {
        case 200: return .fine(subject, hasKey ? "\(url) answers and accepts the key" : "\(url) answers")
        case 401, 403:
            return hasKey
                ? .broken(subject, "\(url) refuses the key (\(status)); check \(provider.terms.credential)")
                : .fine(subject, "\(url) answers")
        case 500...: return .doubtful(subject, "\(url) answers \(status); it may be down")
        default:
            return .doubtful(
                subject,
                "\(url) answers \(status) to a list of models; is it of kind \(provider.terms.kind.rawValue)?"
            )
        }
    }

    private func clock(_ date: String?) -> Finding {
        guard let theirs = date.flatMap(Self.timestamp) else {
            return .doubtful("clock", "no provider answered with a date to compare it with")
        }
        let off = SystemNow().now().timestamp - theirs
        guard abs(off) > Self.clockTolerance else { return .fine("clock", "agrees with the provider's") }
        let direction = off > 0 ? "ahead of" : "behind"
        return .broken(
            "clock", "\(Text.duration(abs(off))) \(direction) the provider's; set it, for example with NTP")
    }

    /// Reads `Fri, 20 Nov 2026 23:17:23 GMT` (RFC 9110 §5.6.7).
    static func timestamp(_ date: String) -> Timestamp? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = date.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])) else {
            return nil
        }
        let number = String(month + 1)
        return Timestamp(
            text: "\(parts[3])-\(number.count == 1 ? "0" : "")\(number)-\(parts[1])T\(parts[4])Z")
    }
}
