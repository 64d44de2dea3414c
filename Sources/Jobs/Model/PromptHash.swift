import Crypto
package import JSON

/// SHA-256 over the canonical form of everything that shapes an answer.
///
/// Keys sorted, insignificant white space gone, strings in one escaping, numbers by their text. Covers the request
/// but for `stream` and `metadata`, the API version, betas, the tenant, and which sample is asked for.
package struct PromptHash: Hashable, Sendable {
    /// 32 bytes.
    package var bytes: [UInt8]

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Hashes a request, which is a JSON object with `model` and `max_tokens` filled in.
    ///
    /// `sample` is 0 for the answer that all share, more for one more answer to the same prompt.
    package init(
        request: JSON, sample: Int = 0, version: String = "", betas: [String] = [], tenant: String = ""
    ) {
        var text: [UInt8] = []
        for part in [version, betas.sorted().joined(separator: ","), tenant, String(sample)] {
            text.append(contentsOf: "\(part.utf8.count):".utf8)
            text.append(contentsOf: part.utf8)
        }
        request.appendCanonical(to: &text, omitting: ["stream", "metadata"])
        bytes = SHA256.hash(text)
    }
}
