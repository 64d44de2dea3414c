import HTTPClient
import Jobs

extension Outcome {
    /// Reads a whole answer: a Message, or the provider's refusal.
    init(reading body: [UInt8], status: Int, headers: HTTPHeaders, now: Timestamp) {
        self.init(Result(reading: body, status: status, headers: headers, now: now), headers: headers)
        if requestID == nil, !(200..<300).contains(status) { requestID = ErrorBody(body)?.requestID }
    }

    /// A result with what the headers tell beside it.
    init(_ result: Result, headers: HTTPHeaders) {
        self.init(result, requestID: headers["request-id"], limits: LimitReport(headers))
    }
}

extension Outcome.Result {
    init(reading body: [UInt8], status: Int, headers: HTTPHeaders, now: Timestamp) {
        guard (200..<300).contains(status) else {
            self = .refusal(Refusal(body, status: status, retryAfter: RetryAfter(headers, now: now)))
            return
        }
        self.init(message: body)
    }

    /// Reads the body of a success.
    init(message body: [UInt8]) {
        do {
            self = .answer(try Answer(message: body))
        } catch {
            if let refused = ErrorBody(body) {
                self = .refusal(Refusal(refused, status: 200))
            } else {
                self = .broken(
                    Breakage(kind: .malformed, message: error.reason, maySent: true, usage: error.usage))
            }
        }
    }

    /// What a failed transfer means.
    init(_ error: any Error, usage: Usage?) {
        guard let error = error as? HTTPClientError else {
            self = .abandoned(sent: true)
            return
        }
        guard let kind = error.code.breakage else {
            self = .abandoned(sent: error.maySent)
            return
        }
        let cure = error.code == .tls ? "; `renga doctor` says what is missing" : ""
        self = .broken(
            Breakage(kind: kind, message: error.message + cure, maySent: error.maySent, usage: usage))
    }
}

extension HTTPClientError.Code {
    /// Nil if the call was given up on this side.
    fileprivate var breakage: Breakage.Kind? {
        switch self {
        case .resolve, .connect, .connectTimeout, .tls: .unreachable
        case .writeTimeout, .idleTimeout, .callTimeout: .timeout
        case .reset: .reset
        case .truncated: .truncated
        case .tooLarge: .tooLarge
        case .protocolError: .malformed
        case .cancelled: nil
        }
    }
}
