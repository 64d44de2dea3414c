/// How the provider tells what is left: whole requests, tokens to the nearest thousand, the time of being full.
extension Meters {
    mutating func headers(uptime: Int64, timestamp: Int64) -> [(String, String)] {
        var headers: [(String, String)] = []
        let requests = Reading(&self.requests, uptime)
        let input = Reading(&self.input, uptime)
        let output = Reading(&self.output, uptime)
        requests?.append(to: &headers, "requests", timestamp, rounding: 1)
        input?.append(to: &headers, "input-tokens", timestamp, rounding: 1000)
        output?.append(to: &headers, "output-tokens", timestamp, rounding: 1000)
        Reading.total(input, output)?.append(to: &headers, "tokens", timestamp, rounding: 1000)
        return headers
    }

    /// OpenAI's family: `tokens` is input and output together, and the time of being full a duration.
    mutating func chatHeaders(uptime: Int64) -> [(String, String)] {
        var headers: [(String, String)] = []
        let requests = Reading(&self.requests, uptime)
        let input = Reading(&self.input, uptime)
        let output = Reading(&self.output, uptime)
        requests?.append(toChat: &headers, "requests")
        Reading.total(input, output)?.append(toChat: &headers, "tokens")
        return headers
    }
}

/// What one bucket shows at a moment.
private struct Reading {
    var limit: Int
    var remaining: Double
    var millisecondsToFull: Int64

    init?(_ bucket: inout TokenBucket?, _ now: Int64) {
        guard bucket != nil, let remaining = bucket?.remaining(at: now), let limit = bucket?.limit,
            let wait = bucket?.millisecondsToFull(at: now)
        else { return nil }
        self.limit = limit
        self.remaining = remaining
        millisecondsToFull = wait
    }

    /// `tokens` is the most restrictive limit in force: here always the organization's input plus output.
    static func total(_ a: Reading?, _ b: Reading?) -> Reading? {
        guard var total = a, let b else { return a ?? b }
        total.limit += b.limit
        total.remaining = max(0, total.remaining) + max(0, b.remaining)
        total.millisecondsToFull = max(total.millisecondsToFull, b.millisecondsToFull)
        return total
    }

    func append(toChat headers: inout [(String, String)], _ name: String) {
        headers.append(("x-ratelimit-limit-\(name)", String(limit)))
        headers.append(("x-ratelimit-remaining-\(name)", String(Int(max(0, min(Double(limit), remaining))))))
        headers.append(("x-ratelimit-reset-\(name)", goDuration(millisecondsToFull)))
    }

    func append(
        to headers: inout [(String, String)], _ name: String, _ timestamp: Int64, rounding: Double
    ) {
        let left = rounding == 1 ? remaining.rounded(.down) : (remaining / rounding).rounded() * rounding
        headers.append(("anthropic-ratelimit-\(name)-limit", String(limit)))
        headers.append(
            ("anthropic-ratelimit-\(name)-remaining", String(Int(max(0, min(Double(limit), left))))))
        headers.append(
            ("anthropic-ratelimit-\(name)-reset", rfc3339(milliseconds: timestamp + millisecondsToFull + 999))
        )
    }
}

/// RFC 3339 in UTC to the second, rounded down: `2026-11-20T10:15:31Z`.
func rfc3339(milliseconds: Int64) -> String {
    let seconds = max(0, milliseconds / 1000)
    let (days, ofDay) = seconds.quotientAndRemainder(dividingBy: 86_400)
    // Howard Hinnant's civil_from_days: https://howardhinnant.github.io/date_algorithms.html
    let (era, ofEra) = (days + 719_468).quotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * ofYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let day = ofYear - (153 * shifted + 2) / 5 + 1
    return
        "\(year)-\(pad(month))-\(pad(day))T\(pad(ofDay / 3600)):\(pad(ofDay / 60 % 60)):\(pad(ofDay % 60))Z"
}

/// A duration as OpenAI's headers have it: `350ms`, `12.5s`, `1m3s`.
func goDuration(_ milliseconds: Int64) -> String {
    guard milliseconds >= 1000 else { return "\(max(0, milliseconds))ms" }
    let (minutes, rest) = milliseconds.quotientAndRemainder(dividingBy: 60_000)
    let (seconds, fraction) = rest.quotientAndRemainder(dividingBy: 1000)
    let part = fraction == 0 ? "\(seconds)s" : "\(seconds).\(fraction < 100 ? "0" : "")\(pad(fraction))s"
    return minutes == 0 ? part : "\(minutes)m\(part)"
}

private func pad(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
