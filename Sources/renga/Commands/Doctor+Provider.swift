import HTTPClient
import Jobs
import Models

extension Doctor {
    /// Beyond it TLS certificates and `retry-after` dates begin to look wrong.
    private static let clockTolerance: Milliseconds = 60_000

    /// Asks for the list of models, which costs nothing.
    func provider(_ settings: ServiceSettings) async -> [Finding] {
        let key = try? invocation.secret(.providerKey)
        let headers = key.map { [("x-api-key", $0.reveal()), ("anthropic-version", "2023-06-01")] } ?? []
        let request = HTTPRequest(
            method: "GET", url: settings.baseURL + "/v1/models", headers: headers,
            timeouts: .init(connect: 5, write: 5, idle: 5, call: 10))
        do {
            let response = try await HTTPClient().send(request)
            return [
                answer(response.status, settings.baseURL, hasKey: key != nil),
                clock(response.headers["date"]),
            ]
        } catch {
            return [
                .broken(
                    "provider",
                    "\(settings.baseURL) does not answer (\(error)); check ANTHROPIC_BASE_URL and the network"
                )
            ]
        }
    }

    private func answer(_ status: Int, _ url: String, hasKey: Bool) -> Finding {
        switch status {
        case 200: .fine("provider", hasKey ? "\(url) answers and takes the key" : "\(url) answers")
        case 401, 403:
            hasKey
                ? .broken("provider", "\(url) refuses the key (\(status)); check ANTHROPIC_API_KEY")
                : .fine("provider", "\(url) answers")
        case 500...: .doubtful("provider", "\(url) answers \(status); it may be down")
        default: .doubtful("provider", "\(url) answers \(status) to a list of models; is it a Messages API?")
        }
    }

    private func clock(_ date: String?) -> Finding {
        guard let theirs = date.flatMap(Self.timestamp) else {
            return .doubtful("clock", "nothing to compare it with")
        }
        let off = SystemNow().now().timestamp - theirs
        guard abs(off) > Self.clockTolerance else { return .fine("clock", "agrees with the provider's") }
        let direction = off > 0 ? "ahead of" : "behind"
        return .broken("clock", "\(Text.duration(abs(off))) \(direction) the provider's; let NTP set it")
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
