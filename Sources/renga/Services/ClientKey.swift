import Crypto
import Models
import System
import Telemetry

/// The key that clients of a server must send.
enum ClientKey {
    /// The key as set; if only its file's name is set and there is no such file, a new key is written there.
    ///
    /// Throws if none is set and other machines could call.
    static func require(_ invocation: Invocation, listen: ListenAddress, log: Log) throws -> Secret? {
        if let secret = try invocation.secret(.apiKey, mayBeMissing: true) { return secret }
        if let path = invocation.secretFile(.apiKey) {
            try make(path, log)
            return try invocation.secret(.apiKey)
        }
        if listen.isLoopback { return nil }
        throw UsageError(
            """
            RENGA_LISTEN is \(listen.host):\(listen.port), which other machines can reach, and there is no key: \
            set RENGA_API_KEY or RENGA_API_KEY_FILE, or listen on 127.0.0.1
            """)
    }

    /// Puts 192 bits there.
    ///
    /// Of several servers that start at once, one makes the key and the others read it.
    private static func make(_ path: String, _ log: Log) throws {
        do {
            let key = Array(("renga_" + randomBytes(24).hex + "\n").utf8)
            guard try createSecretFile(path: path, bytes: key) else { return }
        } catch {
            throw UsageError(
                "RENGA_API_KEY_FILE is “\(path)”; expected a path at which a file can be created: \(error)")
        }
        log.notice("an API key was generated", ["file": "\(path)", "show": "cat '\(path)'"])
    }

    /// A header for a shell's command line that shows where the key is, not what it is; nil if none is asked for.
    static func shellHeader(_ invocation: Invocation, _ key: Secret?) -> String? {
        guard key != nil else { return nil }
        if invocation.environment(SecretSetting.apiKey.name)?.isEmpty == false {
            return "x-api-key: $RENGA_API_KEY"
        }
        return invocation.secretFile(.apiKey).map { "x-api-key: $(cat '\($0)')" }
    }
}
