import HTTPClient
import Jobs

/// How the answers of one wire format are read; the call itself is the same for all.
protocol WireFormat: Sendable {
    associatedtype Stream: AnswerStream

    /// Reads a whole answer, or a refusal.
    func outcome(of body: [UInt8], status: Int, headers: HTTPHeaders, now: Timestamp) -> Outcome
    /// A result with what the headers tell beside it.
    func outcome(_ result: Outcome.Result, headers: HTTPHeaders) -> Outcome
    /// What the head of an answer says of the route's limits.
    func limits(_ headers: HTTPHeaders) -> LimitReport?
    /// A reader for one streamed answer, which tells the listener what it reads.
    func stream(listener: (any AnswerListener)?) -> Stream
}

/// A streamed answer as it grows: bytes in, in whatever pieces, and one result out.
protocol AnswerStream {
    /// The result as soon as it is known; what comes after it does not matter.
    mutating func take(_ piece: [UInt8]) -> Outcome.Result?
    /// What it comes to when the body has ended, in order or by an error, and no result was known before.
    mutating func end(_ error: (any Error)?) -> Outcome.Result
}

extension HTTPClient {
    /// Makes a call and reads its answer; whatever goes wrong is an outcome too.
    func call(
        _ request: HTTPRequest, streams: Bool, in format: some WireFormat, clock: any Clock,
        listener: (any AnswerListener)?, secret: Secret
    ) async -> Outcome {
        let told = listener.map { RedactingListener(listener: $0, secret: secret) }
        let outcome =
            streams
            ? await stream(request, format, clock, told) : await plain(request, format, clock, told)
        return outcome.redacting(secret)
    }

    /// Not inlined, nor is `stream`: a call that waits in one of them needs no room for what the other would keep.
    @inline(never)
    private func plain(
        _ request: HTTPRequest, _ format: some WireFormat, _ clock: any Clock,
        _ listener: (any AnswerListener)?
    ) async -> Outcome {
        do {
            let response = try await send(request)
            listener?.began(AnswerHead(response.headers))
            return format.outcome(
                of: response.body, status: response.status, headers: response.headers,
                now: clock.now().timestamp)
        } catch {
            guard let error = error as? HTTPClientError, let refusal = error.beginning else {
                return Outcome(.init(error, usage: nil))
            }
            listener?.began(AnswerHead(refusal.headers))
            return format.outcome(ofRefusal: refusal, cut: error, now: clock.now().timestamp)
        }
    }

    @inline(never)
    private func stream(
        _ request: HTTPRequest, _ format: some WireFormat, _ clock: any Clock,
        _ listener: (any AnswerListener)?
    ) async -> Outcome {
        do {
            let stream = try await stream(request)
            let isAnswer = (200..<300).contains(stream.status)
            listener?.began(
                AnswerHead(stream.headers, limits: isAnswer ? format.limits(stream.headers) : nil))
            guard isAnswer else {
                let (body, cut) = try await stream.body.collected(atMost: ErrorBody.limit)
                let refusal = HTTPResponse(status: stream.status, headers: stream.headers, body: body)
                return format.outcome(ofRefusal: refusal, cut: cut, now: clock.now().timestamp)
            }
            return format.outcome(
                await stream.body.read(by: format.stream(listener: listener)), headers: stream.headers)
        } catch {
            return Outcome(.init(error, usage: nil))
        }
    }
}

extension HTTPBody {
    fileprivate func read(by stream: some AnswerStream) async -> Outcome.Result {
        var answer = stream
        do {
            for try await piece in self {
                guard let result = answer.take(piece) else { continue }
                finish()
                return result
            }
            return answer.end(nil)
        } catch {
            return answer.end(error)
        }
    }

    /// Reads past the last event, so that the connection is kept: dropping a body before its end closes it.
    private func finish() {
        conclude()
        Task {
            // The answer is complete; how the connection ends does not matter any more.
            _ = try? await collected(atMost: 1 << 10)
        }
    }

    /// The first bytes of the body, at most some more than the limit, and the error that cut them short.
    fileprivate func collected(
        atMost limit: Int
    ) async throws -> (bytes: [UInt8], cut: HTTPClientError?) {
        var bytes: [UInt8] = []
        do {
            for try await piece in self {
                bytes += piece
                if bytes.count >= limit { break }
            }
            return (bytes, nil)
        } catch let error as HTTPClientError where error.code != .cancelled {
            return (bytes, error)
        }
    }
}

extension WireFormat {
    /// An error answer, whole or as far as it came: its status says enough, and that it was not billed.
    ///
    /// Only a 400 needs its words, which may be those of a spend cap: without them the call is made again.
    fileprivate func outcome(
        ofRefusal refusal: HTTPResponse, cut: HTTPClientError?, now: Timestamp
    ) -> Outcome {
        if refusal.status == 400, let cut, cut.code != .tooLarge {
            let unpaid = HTTPClientError(code: cut.code, message: cut.message, maySent: false)
            return outcome(.init(unpaid, usage: nil), headers: refusal.headers)
        }
        return outcome(of: refusal.body, status: refusal.status, headers: refusal.headers, now: now)
    }
}

extension AnswerHead {
    /// The headers that callers of the Messages API know.
    init(_ headers: HTTPHeaders, limits: LimitReport? = nil) {
        self.init(
            requestID: headers["request-id"].map(Excerpt.name),
            headers: headers.fields.filter { $0.name.lowercased().hasPrefix("anthropic-") }
                .map { Header(name: $0.name.lowercased(), value: $0.value) }, limits: limits)
    }
}
