import CPQ

/// What a connection's notice receiver writes into; it lives as long as the connection.
///
/// libpq would print them. A warning may be all that tells that a COMMIT has not reached the standby.
final class Notices {
    /// The newest, one line each.
    private(set) var warnings: [String] = []
    /// Warnings since the connection began.
    private(set) var warningCount = 0

    private let functions: Library.Functions
    private let text: ServerText
    private static let kept = 32

    init(_ functions: Library.Functions, _ text: ServerText) {
        self.functions = functions
        self.text = text
    }

    /// What is left to say if the server warned while it committed.
    var doubt: PostgresError {
        PostgresError(.unknownOutcome, "the server warned while it committed: \(warnings.last ?? "")")
    }

    /// The connection must not outlive this object.
    func receive(from connection: OpaquePointer) {
        _ = functions.pointee.set_notice_receiver(
            connection,
            { context, notice in
                guard let context, let notice else { return }
                Unmanaged<Notices>.fromOpaque(context).takeUnretainedValue().note(notice)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func note(_ notice: OpaquePointer) {
        guard field(cpq_severity, of: notice) == "WARNING" else { return }
        let state = field(cpq_sqlstate, of: notice) ?? ""
        warningCount += 1
        if warnings.count == Self.kept { warnings.removeFirst() }
        warnings.append(text.clean(field(cpq_message, of: notice) ?? "", state: state))
    }

    private func field(_ name: Int32, of notice: OpaquePointer) -> String? {
        functions.pointee.result_field(notice, name).map { String(cString: $0) }
    }
}
