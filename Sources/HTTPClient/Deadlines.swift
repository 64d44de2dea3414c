/// When a call has taken too long, by the phase it is in.
///
/// Moments are milliseconds of the monotonic clock.
struct Deadlines {
    private enum Phase {
        case connecting, sending, awaiting, receiving
    }

    private let timeouts: HTTPRequest.Timeouts
    private let upload: Int
    private let headBy: Int64
    private var callBy: Int64
    private var phase = Phase.connecting
    private var hasHead = false
    private var uploaded = 0
    private var downloaded = 0
    private var lastProgress: Int64
    private var isPaused = false

    init(_ request: HTTPRequest, now: Int64) {
        timeouts = request.timeouts
        upload = request.body.count
        headBy = now.after(timeouts.head)
        callBy = now.after(timeouts.call)
        lastProgress = now
    }

    /// The soonest moment at which this call has failed if nothing happens until then.
    ///
    /// Bytes that come move no end but that of the pause: who drips them holds a call no longer than who sends none.
    var next: (at: Int64, code: HTTPClientError.Code) {
        let end = hasHead ? callBy : min(headBy, callBy)
        let pause = longestPause
        return pause.at < end ? pause : (end, .callTimeout)
    }

    /// Why the call ends there, for people.
    func description(of code: HTTPClientError.Code) -> String {
        switch code {
        case .writeTimeout: "for \(timeouts.write.secondsText) the server accepted nothing of the request"
        case .idleTimeout: "for \(timeouts.idle.secondsText) nothing came of the answer"
        default:
            hasHead || timeouts.call <= timeouts.head
                ? "the call did not end within \(timeouts.call.secondsText)"
                : "no answer began within \(timeouts.head.secondsText)"
        }
    }

    private var longestPause: (at: Int64, code: HTTPClientError.Code) {
        switch phase {
        // libcurl times the connecting itself: it divides that time between a host's addresses.
        case .connecting, .awaiting: (.max, .callTimeout)
        case .sending: (lastProgress.after(timeouts.write), .writeTimeout)
        case .receiving: (isPaused ? .max : lastProgress.after(timeouts.idle), .idleTimeout)
        }
    }

    /// The connection is open and the request is about to be written; again after libcurl had to repeat it.
    mutating func connected(now: Int64) {
        phase = upload == 0 ? .awaiting : .sending
        uploaded = 0
        lastProgress = now
    }

    /// Bytes moved so far; true if that is news.
    mutating func moved(uploaded: Int, downloaded: Int, now: @autoclosure () -> Int64) -> Bool {
        guard uploaded != self.uploaded || downloaded != self.downloaded else { return false }
        (self.uploaded, self.downloaded) = (uploaded, downloaded)
        if phase == .sending, uploaded >= upload { phase = .awaiting }
        lastProgress = now()
        return true
    }

    mutating func answering(now: Int64) {
        phase = .receiving
        lastProgress = now
    }

    mutating func headEnded() {
        hasHead = true
    }

    /// What still comes has no reader: it ends soon.
    mutating func conclude(now: Int64) {
        callBy = min(callBy, now + Self.lastMoments)
    }

    private static let lastMoments: Int64 = 1000

    /// That was only a 1xx: the wait for the answer goes on.
    mutating func awaitingAgain() {
        phase = uploaded < upload ? .sending : .awaiting
    }

    mutating func paused() {
        isPaused = true
    }

    mutating func resumed(now: Int64) {
        isPaused = false
        lastProgress = now
    }
}

extension Double {
    /// Seconds, without a point that says nothing.
    fileprivate var secondsText: String {
        self == rounded() && magnitude < 1e9 ? "\(Int64(self)) s" : "\(self) s"
    }
}

extension Int64 {
    fileprivate func after(_ seconds: Double) -> Int64 {
        // A century is for ever here, and keeps the sum from overflowing.
        self + Int64(Swift.min(Swift.max(seconds, 0), 3_155_760_000) * 1000)
    }
}
