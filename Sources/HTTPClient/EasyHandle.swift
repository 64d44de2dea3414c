import CCurl

/// A libcurl easy handle with the memory it refers to; used for one transfer after another.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var refusal = CURLE_OK

    init() {
        guard let pointer = curl_easy_init() else {
            preconditionFailure("curl_easy_init failed: out of memory")
        }
        self.pointer = pointer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(pointer)
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    /// What libcurl wrote about the last failure; it may name the host, never a header.
    var message: String? {
        errorText.pointee == 0 ? nil : String(cString: errorText)
    }

    /// Makes the handle ready for a transfer, whose callbacks get `owner`; not OK when libcurl refuses an option.
    func prepare(
        _ request: HTTPRequest, _ authorities: Authorities, owner: UnsafeMutableRawPointer
    ) -> CURLcode {
        refusal = CURLE_OK
        errorText.pointee = 0
        set(CURLOPT_PRIVATE, owner)
        set(CURLOPT_ERRORBUFFER, errorText)
        setConduct()
        setTarget(request)
        setTrust(authorities)
        setMethod(request)
        setHeaders(request)
        setCallbacks(owner)
        return refusal
    }

    /// Forgets the transfer, and frees what was copied for it.
    func reset() {
        curl_easy_reset(pointer)
        curl_slist_free_all(headers)
        headers = nil
    }

    private func setConduct() {
        // Signals are the process's own: libcurl must neither use SIGALRM nor touch SIGPIPE's handler.
        set(CURLOPT_NOSIGNAL, 1)
        // Without it, ending a transfer that resolves a name waits for its resolver thread, and so would the loop.
        set(CURLOPT_QUICK_EXIT, 1)
        // Each call in flight has a buffer of its own: 16 KiB would be half of all the memory that it takes.
        set(CURLOPT_BUFFERSIZE, 2048)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_TCP_KEEPIDLE, 30)
        set(CURLOPT_TCP_KEEPINTVL, 15)
        // HTTP/2 in 7.88.1 stalls all streams of a connection when one is paused (curl #10988).
        set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        // Servers close idle connections after a minute or so: do not try our luck for long.
        set(CURLOPT_MAXAGE_CONN, 30)
        // Empty: offer every encoding that this libcurl can undo.
        set(CURLOPT_ACCEPT_ENCODING, "")
        set(CURLOPT_PROTOCOLS_STR, "http,https")
    }

    private func setTarget(_ request: HTTPRequest) {
        set(CURLOPT_URL, request.url)
        // A proxy's loopback is another machine's: an empty name switches off what the environment says.
        if request.isLoopback { set(CURLOPT_PROXY, "") }
        // Zero would mean libcurl's default of 300 s.
        let seconds = min(max(request.timeouts.connect, 0.001), 300)
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(seconds * 1000))
    }

    /// What is not said stays as libcurl was built: Debian's file and folder of certificates.
    private func setTrust(_ authorities: Authorities) {
        if let file = authorities.file {
            set(CURLOPT_CAINFO, file)
            set(CURLOPT_PROXY_CAINFO, file)
        }
        if let folder = authorities.folder {
            set(CURLOPT_CAPATH, folder)
            set(CURLOPT_PROXY_CAPATH, folder)
        }
    }

    private func setMethod(_ request: HTTPRequest) {
        let expectsBody = ["POST", "PUT", "PATCH"].contains(request.method)
        if !request.body.isEmpty || expectsBody {
            set(CURLOPT_POST, 1)
            note(ccurl_set_offset(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count)))
            request.body.withUnsafeBytes { bytes in
                // Nil would make libcurl read the body from stdin.
                let body = bytes.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) }
                if let body { set(CURLOPT_COPYPOSTFIELDS, body) } else { set(CURLOPT_COPYPOSTFIELDS, "") }
            }
        } else {
            set(request.method == "HEAD" ? CURLOPT_NOBODY : CURLOPT_HTTPGET, 1)
        }
        if !["POST", "GET", "HEAD"].contains(request.method)
            || (!request.body.isEmpty && request.method != "POST")
        {
            set(CURLOPT_CUSTOMREQUEST, request.method)
        }
    }

    private func setHeaders(_ request: HTTPRequest) {
        // Bodies above 1 MiB would otherwise wait a second for "100 Continue".
        append("Expect:")
        let namesType = request.headers.contains { $0.0.lowercased() == "content-type" }
        if !namesType { append("Content-Type:") }
        for (name, value) in request.headers {
            // libcurl takes "name:" as an order to leave the header out, and "name;" as an empty one.
            append(value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        set(CURLOPT_HTTPHEADER, UnsafeMutableRawPointer(headers))
    }

    private func append(_ line: String) {
        guard let longer = curl_slist_append(headers, line) else { return refusal = CURLE_OUT_OF_MEMORY }
        headers = longer
    }

    private func setCallbacks(_ owner: UnsafeMutableRawPointer) {
        note(ccurl_set_data(pointer, CURLOPT_WRITEFUNCTION, Transfer.onBody))
        note(ccurl_set_data(pointer, CURLOPT_HEADERFUNCTION, Transfer.onHeader))
        note(ccurl_set_progress(pointer, Transfer.onProgress))
        note(ccurl_set_before_request(pointer, Transfer.onConnected))
        for option in [CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_XFERINFODATA, CURLOPT_PREREQDATA] {
            set(option, owner)
        }
        set(CURLOPT_NOPROGRESS, 0)
    }

    private func set(_ option: CURLoption, _ value: Int) { note(ccurl_set_long(pointer, option, value)) }
    private func set(_ option: CURLoption, _ value: String) { note(ccurl_set_string(pointer, option, value)) }
    private func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) {
        note(ccurl_set_pointer(pointer, option, value))
    }

    private func note(_ code: CURLcode) {
        if refusal == CURLE_OK { refusal = code }
    }
}
