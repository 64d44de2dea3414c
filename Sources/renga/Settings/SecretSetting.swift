import Models
import System

/// A secret: from the environment, or from a file that the environment names; never from a flag.
struct SecretSetting: Sendable {
    var name: String
    var help: String

    static let providerKey = SecretSetting(name: "ANTHROPIC_API_KEY", help: "the provider's key")
    static let apiKey = SecretSetting(name: "RENGA_API_KEY", help: "the key that clients must send")

    var fileName: String { name + "_FILE" }

    /// Far more than any key.
    static let limit = 64 << 10

    fileprivate func secret(_ bytes: some Collection<UInt8>, from source: String) throws -> Secret {
        // Editors on Windows put a byte order mark before what they save.
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = String(
            decoding: bytes.starts(with: mark) ? Array(bytes.dropFirst(3)) : Array(bytes), as: UTF8.self)
        let isSpace: (Character) -> Bool = {
            $0 == " " || $0 == "\n" || $0 == "\r\n" || $0 == "\r" || $0 == "\t"
        }
        let trimmed = String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
        if let quote = trimmed.first, quote == "\"" || quote == "'", trimmed.count > 1, trimmed.last == quote
        {
            throw UsageError("\(source) has quotes around the key; remove them")
        }
        // Its value is never shown, not even a wrong one.
        guard trimmed.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw UsageError(
                "\(source) has spaces, control characters or non-ASCII letters in it; expected a key")
        }
        return Secret(trimmed)
    }
}

extension Invocation {
    /// The secret, its variable before its file; nil if neither is set.
    ///
    /// With `mayBeMissing`, a named file that does not exist counts as no secret.
    func secret(_ setting: SecretSetting, mayBeMissing: Bool = false) throws -> Secret? {
        if let text = environment(setting.name), !text.isEmpty {
            let secret = try setting.secret(text.utf8, from: setting.name)
            if secret.isEmpty {
                throw UsageError("\(setting.name) contains only spaces; set a key, or unset it")
            }
            return secret
        }
        guard let path = secretFile(setting) else { return nil }
        if mayBeMissing, !fileExists(path) { return nil }
        do {
            let secret = try setting.secret(readFile(path, limit: SecretSetting.limit), from: path)
            if secret.isEmpty {
                throw UsageError("\(setting.fileName) is “\(path)”, which is empty; expected a key in it")
            }
            return secret
        } catch let error as SystemError {
            throw UsageError("\(setting.fileName) is “\(path)”; expected a readable file: \(error)")
        }
    }

    /// The path that the environment names for a secret's file.
    func secretFile(_ setting: SecretSetting) -> String? {
        environment(setting.fileName).flatMap { $0.isEmpty ? nil : $0 }
    }
}
