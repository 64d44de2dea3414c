import CCurl

extension Transfer {
    /// What libcurl's result means, nil for a whole answer.
    func error(for result: CURLcode) -> HTTPClientError? {
        if let failure { return error(failure.code, failure.message) }
        let said = easy?.message ?? String(cString: curl_easy_strerror(result))
        guard result == CURLE_OK else { return error(code(for: result), said) }
        guard head == nil else { return nil }
        // libcurl calls it a success when the connection ends between two header lines.
        return error(.truncated, "the answer ended within its head")
    }

    func error(_ code: HTTPClientError.Code, _ message: String) -> HTTPClientError {
        HTTPClientError(code: code, message: message, maySent: maySent)
    }

    private func code(for result: CURLcode) -> HTTPClientError.Code {
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
        case CURLE_COULDNT_CONNECT, CURLE_PROXY, CURLE_INTERFACE_FAILED: .connect
        // The connect timeout is the only one that libcurl is given.
        case CURLE_OPERATION_TIMEDOUT: .connectTimeout
        case CURLE_PARTIAL_FILE: .truncated
        case CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_SEND_FAIL_REWIND: .reset
        // While the request is unsent, what fails to be received is the proxy's answer to CONNECT.
        case CURLE_RECV_ERROR: maySent ? .reset : .connect
        default: isTLS(result) ? .tls : .protocolError
        }
    }

    private func isTLS(_ result: CURLcode) -> Bool {
        switch result {
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED,
            CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION, CURLE_USE_SSL_FAILED,
            CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_SHUTDOWN_FAILED,
            CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT:
            true
        default: false
        }
    }
}
