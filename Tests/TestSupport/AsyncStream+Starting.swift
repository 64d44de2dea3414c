extension AsyncStream<Void> {
    /// The same with one element more, at once.
    package func starting() -> AsyncStream<Void> {
        AsyncStream { continuation in
            continuation.yield()
            let relay = Task {
                for await _ in self { continuation.yield() }
                continuation.finish()
            }
            continuation.onTermination = { _ in relay.cancel() }
        }
    }
}
