extension HTTPServer {
    /// Where to listen, and a limit for everything a client could have without end.
    package struct Configuration: Sendable {
        /// Numeric, or a name that the system resolves.
        package var address: String

        /// 0 takes a free one; `HTTPServer.port` says which.
        package var port: Int

        /// Beyond it the longest idle connection is closed in favour of the new one; if none is idle, 503.
        ///
        /// At most half of the process's limit of open files, so that the other half is left to everything else.
        package var connectionLimit = 4096

        /// The same for the connections of one address (of one /64 network with IPv6).
        package var perAddressLimit = 2048

        /// How long a connection may wait between requests, and an answer for a client that reads nothing.
        package var idleTimeout: Duration = .seconds(75)

        /// How long the first request's headers may take from the moment the connection is accepted.
        package var headerDeadline: Duration = .seconds(10)

        /// How long a body may take, plus what its size allows at `minimumBodyRate`.
        package var bodyDeadline: Duration = .seconds(30)

        /// Bytes a second: a body may be as long as it likes, but not dawdle.
        package var minimumBodyRate = 1024

        /// Bytes of request line and headers; beyond it 431.
        ///
        /// At most 24 KiB, which fits MHD's memory; what does not fit that gets MHD's own 414 or 431.
        package var headerLimit = 16 * 1024

        /// Bytes of an unwanted body that are read and dropped so that its sender sees the answer; beyond it, cut.
        package var drainLimit = 8 * 1024 * 1024

        /// Bytes of bodies of all requests together; beyond it 503.
        package var bodyMemory = BodyMemory(limit: 512 * 1024 * 1024)

        /// Collected bodies up to this many bytes are handled on the server's thread until the first suspension.
        package var inlineBodyLimit = 16 * 1024

        /// Bytes that may wait between a producer and its consumer, for each stream in either direction.
        package var streamBuffer = 256 * 1024

        /// How long `stop` waits for requests in flight; then their tasks are cancelled.
        package var grace: Duration = .seconds(10)

        package init(address: String = "127.0.0.1", port: Int = 0) {
            self.address = address
            self.port = port
        }
    }
}

extension Duration {
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
