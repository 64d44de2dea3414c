import HTTPClient
import System

extension Doctor {
    /// Whose certificates count, if that is not the system's choice.
    var authorities: [Finding] {
        guard let (name, path) = invocation.authoritySource else { return [] }
        guard fileExists(path) else {
            return [.broken("authorities", "\(name) is “\(path)”, which does not exist; correct or unset it")]
        }
        return [.fine("authorities", "\(name) is \(path)")]
    }
}

/// Why a TLS handshake failed, and what to do.
struct TLSTrouble {
    private let message: String
    private let url: String
    private let source: (name: String, path: String)?

    init(_ error: HTTPClientError, at url: String, trusting source: (name: String, path: String)?) {
        message = error.message
        self.url = url
        self.source = source
    }

    var text: String { "the TLS connection to \(url) failed (\(message)); \(cure)" }

    /// By what libcurl and OpenSSL report.
    private var cure: String {
        let message = message.lowercased()
        func has(_ parts: String...) -> Bool { parts.contains { message.contains($0) } }
        if has("has expired", "not yet valid") {
            return "check this machine's clock (`date -u`), then the server's certificate"
        }
        if has("subject name", "hostname mismatch") {
            return "the certificate is for another name; use that name in the address"
        }
        if has("certificate verify locations", "cafile", "load ca", "setting certificate") {
            let named = source.map { "\($0.name) is “\($0.path)”" } ?? "the system's file of authorities"
            return "\(named): it cannot be read, or holds no certificate in PEM form"
        }
        if has("certificate problem", "issuer", "self-signed", "self signed", "verify") {
            return missingAuthority
        }
        return "does this address speak TLS? Perhaps it begins with http://"
    }

    private var missingAuthority: String {
        let host = url.split(separator: "/").dropFirst().first.map(String.init) ?? "HOST"
        let address = host.contains(":") ? host : host + ":443"
        let trusted = source.map { "\($0.name) is \($0.path)" } ?? "the system's authorities count"
        return """
            no trusted authority signed its certificate (\(trusted)). Behind a company's proxy, put the certificate \
            of the proxy's authority into a file and set RENGA_CA_FILE=/path/to/company-ca.pem. To see who signed it: \
            openssl s_client -showcerts -connect \(address) </dev/null
            """
    }
}
