import Jobs

/// The growing pause between tries of the store: 50 ms, doubled each time, never above the cap.
struct Backoff {
    let cap: Milliseconds
    private var upcoming: Milliseconds = 50

    init(cap: Milliseconds) {
        self.cap = cap
    }

    mutating func reset() {
        upcoming = 50
    }

    mutating func next() -> Milliseconds {
        defer { upcoming = min(cap, upcoming * 2) }
        return min(cap, upcoming)
    }
}

/// Sleeps; returns early, and quietly, when the task is cancelled.
func pause(_ duration: Milliseconds) async {
    // A cancelled sleep is no error: every loop looks at its own reason to end afterwards.
    try? await Task.sleep(for: .milliseconds(max(0, duration)))
}
