import CPQ
import Glibc
import System

/// Reads what the server answers, within limits of time and bytes.
///
/// It goes on writing while it reads, or both sides would fill their buffers and wait for ever.
struct AnswerReader {
    enum Answer {
        case rows(Rows)
        case failed(PostgresError)
        /// There was an error before it.
        case skipped
        case mark
    }

    private let connection: Connection
    private let functions: Library.Functions
    private let handle: OpaquePointer
    private let limits: TripLimits
    private let deadline: Int64
    private var received = 0

    /// What one read takes at least, if so much has come: libpq's buffer.
    private static let chunk = 16 << 10

    init(_ connection: Connection, _ limits: TripLimits) {
        self.connection = connection
        functions = connection.functions
        handle = connection.handle
        self.limits = limits
        deadline = monotonicMilliseconds() + Int64(limits.milliseconds)
    }

    /// The next answer in a pipeline, where a null ends that to a statement; throws if the connection is lost.
    mutating func read(_ statement: String) throws(PostgresError) -> Answer {
        for _ in 0...2 {
            if let result = try next() { return try answer(result, statement) }
        }
        throw unasked()
    }

    /// Outside of a pipeline nil is the end of all answers.
    mutating func readPlain(_ statement: String) throws(PostgresError) -> Answer? {
        guard let result = try next() else { return nil }
        return try answer(result, statement)
    }

    private mutating func answer(_ result: OpaquePointer, _ statement: String) throws(PostgresError) -> Answer
    {
        switch functions.pointee.result_status(result) {
        case cpq_command_ok, cpq_rows: return .rows(Rows(result, of: statement, functions))
        case cpq_pipeline_sync:
            functions.pointee.clear(result)
            return .mark
        case cpq_pipeline_aborted:
            functions.pointee.clear(result)
            return .skipped
        case cpq_fatal_error:
            defer { functions.pointee.clear(result) }
            return .failed(try failure(result, statement))
        default:
            // COPY, say, which no statement of ours begins.
            functions.pointee.clear(result)
            throw unasked()
        }
    }

    private mutating func next() throws(PostgresError) -> OpaquePointer? {
        while true {
            let flushed = functions.pointee.flush(handle)
            if functions.pointee.is_busy(handle) == 0 { return functions.pointee.get_result(handle) }
            if flushed < 0 { throw broken() }
            switch connection.wait(for: flushed == 0 ? POLLIN : POLLIN | POLLOUT, until: deadline) {
            case .socket: try take()
            case .bell, .time:
                connection.stopServer()
                throw PostgresError(.unavailable, "no answer within \(limits.milliseconds) ms")
            }
        }
    }

    private mutating func take() throws(PostgresError) {
        let socket = functions.pointee.socket(handle)
        let before = Int(cpq_unread(socket))
        let isConnected = functions.pointee.consume_input(handle) == 1
        // What came meanwhile is in neither number; a chunk at least was taken if there was one.
        received += max(before - Int(cpq_unread(socket)), min(before, Self.chunk))
        guard received <= limits.bytes else {
            connection.stopServer()
            throw PostgresError(.badAnswer, "the answer has more than \(limits.bytes) bytes")
        }
        // The server's last words may have come together with the end.
        if !isConnected, functions.pointee.is_busy(handle) == 1 { throw broken() }
    }

    /// Throws it if it is the connection's end, which is told as an error of whatever was asked.
    private func failure(_ result: OpaquePointer, _ statement: String) throws(PostgresError) -> PostgresError
    {
        func field(_ name: Int32) -> String? {
            functions.pointee.result_field(result, name).map { String(cString: $0) }
        }
        let state = field(cpq_sqlstate) ?? ""
        let message = connection.text.clean(field(cpq_message) ?? connection.words, state: state)
        let isEnd =
            ["FATAL", "PANIC"].contains(field(cpq_severity) ?? "")
            || functions.pointee.status(handle) != cpq_connection_ok
        if isEnd { throw PostgresError(.unavailable, message, state: state) }
        return PostgresError(
            .init(state: state, mayHaveCommitted: nil), message, state: state, statement: statement,
            constraint: field(cpq_constraint))
    }

    func broken() -> PostgresError {
        PostgresError(.unavailable, connection.text.clean(connection.words))
    }

    func unasked() -> PostgresError {
        PostgresError(.badAnswer, "the server's answer is not one to what was asked")
    }
}
