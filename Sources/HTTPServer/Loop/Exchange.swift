import CMicroHTTPD

/// One request and its answer, as the server's thread keeps it; MHD holds it from request line to completion.
final class Exchange {
    enum Stage {
        /// The request line has come, the headers have not.
        case opening

        /// The body is put into memory.
        case collecting(limit: Int)

        /// The body goes to the handler while it arrives.
        case streaming(BodyBuffer)

        /// The body is dropped, then this is answered.
        case draining(Response)

        /// The body is dropped, and its sender has got the answer past MHD.
        case lingering

        /// The request is complete, the answer is not there.
        case waiting

        case answering
    }

    let id: UInt64
    let connection: Connection

    /// Where the target lies in MHD's memory, and how long it is up to its first NUL.
    let targetLength: Int
    let target: RequestTarget

    var stage = Stage.opening
    var head: RequestHead?
    var reception: Reception?
    var isHTTP10 = false

    /// Nothing that follows it on its connection is read.
    var isLast = false
    var body: [UInt8] = []

    /// Bytes of the body that have come, and of those the ones that were dropped.
    var received = 0
    var dropped = 0
    var bodySince: Int64 = 0

    var reply: Reply?
    var task: Task<Void, Never>?
    var output: OutputBuffer?
    var isSuspended = false

    init(id: UInt64, connection: Connection, target: UnsafePointer<CChar>) {
        self.id = id
        self.connection = connection
        let bytes = UnsafeBufferPointer(start: target, count: strlen(target))
        targetLength = bytes.count
        self.target = bytes.withMemoryRebound(to: UInt8.self) { RequestTarget($0) }
    }
}
