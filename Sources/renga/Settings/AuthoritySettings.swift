import HTTPClient
import System

extension Invocation {
    /// Other programs' variables for it, in the order in which curl heeds them.
    static let authorityFiles = ["CURL_CA_BUNDLE", "SSL_CERT_FILE"]
    static let authorityFolder = "SSL_CERT_DIR"
    /// Far more than all authorities there are.
    private static let mostBytes = 16 << 20

    /// Whose certificates are trusted: by renga's own setting, which is checked, or by what other programs heed too.
    func authorities() throws -> Authorities {
        Authorities(
            file: try ownAuthorityFile() ?? otherAuthorityFile?.path, folder: set(Self.authorityFolder))
    }

    /// Which variable names the file, for people; nil if the system's own counts.
    var authoritySource: (name: String, path: String)? {
        given(Settings.authorityFile).map { (Settings.authorityFile.name, $0) } ?? otherAuthorityFile
            ?? set(Self.authorityFolder).map { (Self.authorityFolder, $0) }
    }

    private var otherAuthorityFile: (name: String, path: String)? {
        Self.authorityFiles.lazy.compactMap { name in set(name).map { (name, $0) } }.first
    }

    private func set(_ name: String) -> String? {
        environment(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    private func ownAuthorityFile() throws -> String? {
        guard let path = try optional(Settings.authorityFile) else { return nil }
        do {
            let text = String(decoding: try readFile(path, limit: Self.mostBytes), as: UTF8.self)
            guard text.contains("-----BEGIN ") else {
                throw UsageError(
                    """
                    RENGA_CA_FILE is “\(path)”; expected certificates in PEM form, which begin with -----BEGIN CERTIFICATE-----. \
                    To convert a file in DER form: openssl x509 -inform der -in \(path) -out \(path).pem
                    """)
            }
            return path
        } catch let error as SystemError {
            throw UsageError("RENGA_CA_FILE is “\(path)”; expected a readable file: \(error)")
        }
    }
}
