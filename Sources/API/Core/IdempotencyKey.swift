import HTTPServer

/// The `Idempotency-Key` header: a quoted string by the IETF's draft, bare in common use; both are taken.
///
/// https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
enum IdempotencyKey {
    static func read(_ head: RequestHead) throws(Problem) -> String? {
        guard let sent = try head.onlyValue(of: "idempotency-key") else { return nil }
        let text = unquoted(sent)
        let isPrintable = text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        guard JobLimits.idempotencyKeyBytes.contains(text.utf8.count), isPrintable else {
            throw Problem(
                .invalidHeader,
                "“Idempotency-Key” must be 1 to \(JobLimits.idempotencyKeyBytes.upperBound) printable ASCII characters",
                field: "idempotency-key", limit: JobLimits.idempotencyKeyBytes.upperBound)
        }
        return text
    }

    private static func unquoted(_ text: String) -> String {
        guard text.utf8.count >= 2, text.first == "\"", text.last == "\"" else { return text }
        var plain = ""
        var isEscaped = false
        for character in text.dropFirst().dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                plain.append(character)
                isEscaped = false
            }
        }
        return plain
    }
}
