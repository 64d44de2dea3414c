/// When a call has taken too long, by the phase it is in.
///
/// Moments are milliseconds of the monotonic clock.
struct Deadlines {
    private enum Phase {
        case connecting, sending, awaiting, receiving
    }

    private let timeouts: HTTPRequest.Timeouts
    private let upload: Int
    private let isStream: Bool
    private let start: Int64
    private var phase = Phase.connecting
    private var uploaded = 0
    private var downloaded = 0
    private var lastProgress: Int64
    private var isPaused = false

    init(_ request: HTTPRequest, isStream: Bool, now: Int64) {
        timeouts = request.timeouts
        upload = request.body.count
        self.isStream = isStream
        start = now
        lastProgress = now
    }

    /// The soonest moment at which this call has failed if nothing happens until then.
    var next: (at: Int64, code: HTTPClientError.Code) {
        let call = isStream && phase == .receiving ? Int64.max : start.after(timeouts.call)
        let pause = longestPause
        return pause.at < call ? pause : (call, .callTimeout)
    }

    private var longestPause: (at: Int64, code: HTTPClientError.Code) {
        switch phase {
        // libcurl times the connecting itself: it divides that time between a host's addresses.
        case .connecting, .awaiting: (.max, .callTimeout)
        case .sending: (lastProgress.after(timeouts.write), .writeTimeout)
        case .receiving: (isPaused ? .max : lastProgress.after(timeouts.idle), .idleTimeout)
        }
    }

    /// The connection stands and the request is about to be written; again after libcurl had to repeat it.
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

extension Int64 {
    fileprivate func after(_ seconds: Double) -> Int64 {
        // A century is for ever here, and keeps the sum from overflowing.
        self + Int64(Swift.min(Swift.max(seconds, 0), 3_155_760_000) * 1000)
    }
}
