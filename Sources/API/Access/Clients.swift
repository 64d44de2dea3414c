import HTTPServer
import Jobs
import Synchronization

/// How much of the service one caller may take: requests per minute, and requests at once.
///
/// A caller is who presents one key; if none is asked for, who calls from one address.
final class ClientLimits: Sendable {
    private struct Caller {
        var bucket: TokenBucket
        var inFlight = 0
    }

    private let perMinute: Int?
    private let atOnce: Int
    private let callers = Mutex<[String: Caller]>([:])
    /// Callers remembered; those whose bucket is full are forgotten first.
    private static let most = 10_000

    init(perMinute: Int?, atOnce: Int) {
        self.perMinute = perMinute
        self.atOnce = atOnce
    }

    /// A request that was let in; it ends when the last one lets go of it.
    final class Visit: Sendable {
        private let name: String
        private let callers: ClientLimits

        fileprivate init(_ name: String, _ callers: ClientLimits) {
            self.name = name
            self.callers = callers
        }

        deinit { callers.leave(name) }
    }

    /// Lets a request in, or says that its caller should slow down.
    func enter(_ name: String, now: Moment) throws(Problem) -> Visit {
        let refusal: Problem? = callers.withLock { callers in
            if callers.count > Self.most { forgetIdle(&callers, now) }
            var caller = callers[name] ?? Caller(bucket: bucket(now))
            caller.bucket.advance(to: now)
            defer { callers[name] = caller }
            if caller.inFlight >= atOnce {
                return Self.slowDown(
                    "\(caller.inFlight) requests of yours are under way, at most \(atOnce) may be", seconds: 1
                )
            }
            if let perMinute {
                guard caller.bucket.allows(1) else {
                    let seconds = (caller.bucket.wait(for: 1) + 999) / 1000
                    return Self.slowDown(
                        "a caller may make \(perMinute) requests a minute", seconds: max(1, seconds))
                }
                caller.bucket.take(1)
            }
            caller.inFlight += 1
            return nil
        }
        if let refusal { throw refusal }
        return Visit(name, self)
    }

    private func leave(_ name: String) {
        callers.withLock { callers in
            callers[name]?.inFlight -= 1
            if perMinute == nil, callers[name]?.inFlight == 0 { callers[name] = nil }
        }
    }

    private func bucket(_ now: Moment) -> TokenBucket {
        TokenBucket(perMinute: perMinute ?? 1, at: now)
    }

    private func forgetIdle(_ callers: inout [String: Caller], _ now: Moment) {
        callers = callers.filter {
            $0.value.inFlight > 0 || now.milliseconds - $0.value.bucket.at.milliseconds < TokenBucket.minute
        }
    }

    private static func slowDown(_ detail: String, seconds: Int64) -> Problem {
        Problem(.slowDown, "\(detail): slow down").withHeader("retry-after", String(min(60, seconds)))
    }
}

extension Response {
    /// Keeps the object until its last byte is sent.
    func keeping(_ object: some AnyObject & Sendable) -> Response {
        guard case .stream(let produce) = body else { return self }
        var response = self
        response.body = .stream { writer in
            try await produce(writer)
            withExtendedLifetime(object) {}
        }
        return response
    }
}
