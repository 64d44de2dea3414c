import HTTPClient
import System

extension Doctor {
    /// Whose certificates count, where that is not the system's choice.
    var authorities: [Finding] {
        guard let (name, path) = invocation.authoritySource else { return [] }
        guard fileExists(path) else {
            return [.broken("authorities", "\(name) is “\(path)”, which is not there; correct or unset it")]
        }
        return [.fine("authorities", "\(name) is \(path)")]
    }
}

/// Why a TLS handshake failed, and what to do.
struct TLSTrouble {
    private let said: String
    private let url: String
    private let source: (name: String, path: String)?

    init(_ error: HTTPClientError, at url: String, trusting source: (name: String, path: String)?) {
        said = error.message
        self.url = url
        self.source = source
    }

    var words: String { "no TLS with \(url) (\(said)); \(cure)" }

    /// By the words of libcurl and OpenSSL.
    private var cure: String {
        let said = said.lowercased()
        func has(_ parts: String...) -> Bool { parts.contains { said.contains($0) } }
        if has("has expired", "not yet valid") {
            return "look at this machine's clock (`date -u`), then at the server's certificate"
        }
        if has("subject name", "hostname mismatch") {
            return "the certificate is for another name; use the name that stands in it as the address"
        }
        if has("certificate verify locations", "cafile", "load ca", "setting certificate") {
            let named = source.map { "\($0.name) is “\($0.path)”" } ?? "the system's file of authorities"
            return "\(named): it cannot be read, or holds no certificate in PEM form"
        }
        if has("certificate problem", "issuer", "self-signed", "self signed", "verify") {
            return missingAuthority
        }
        return "does the address really speak TLS? Perhaps it begins with http://"
    }

    private var missingAuthority: String {
        let host = url.split(separator: "/").dropFirst().first.map(String.init) ?? "HOST"
        let address = host.contains(":") ? host : host + ":443"
        let trusted = source.map { "\($0.name) is \($0.path)" } ?? "the system's authorities count"
        return """
            its certificate is signed by nobody who is trusted here (\(trusted)). Behind a company's proxy, put the \
            certificate of the proxy's authority into a file and set RENGA_CA_FILE=/path/to/company-ca.pem. Who signed \
            is shown by: openssl s_client -showcerts -connect \(address) </dev/null
            """
    }
}
