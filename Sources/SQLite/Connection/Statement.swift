import CSQLite

/// A prepared statement that is kept, lent to one call at a time, and is reset in between.
///
/// A statement left on a row pins the write-ahead log, which then grows without end; so every use goes
/// through `use`, which resets it whatever happened.
final class Statement {
    let handle: OpaquePointer
    /// False for whatever may change the database.
    let readsOnly: Bool
    private let parameterCount: Int
    private(set) var inUse = false

    /// Values from this size on are bound where they lie; below it, copying costs less than a closure.
    private static let inPlaceThreshold = 256

    init(_ handle: OpaquePointer) {
        self.handle = handle
        readsOnly = sqlite3_stmt_readonly(handle) != 0
        parameterCount = Int(sqlite3_bind_parameter_count(handle))
    }

    deinit {
        sqlite3_finalize(handle)
    }

    /// Binds, lends the bound statement to the closure, and resets it: bound bytes never outlive the call.
    func use<R, E: Error>(_ values: [Value], _ body: (_ bindStatus: Int32) throws(E) -> R) throws(E) -> R {
        inUse = true
        defer { inUse = false }
        guard values.count == parameterCount else { return try body(SQLITE_RANGE) }
        return try bind(values, from: 0, body)
    }

    private func bind<R, E: Error>(_ values: [Value], from first: Int, _ body: (Int32) throws(E) -> R)
        throws(E) -> R
    {
        var status = SQLITE_OK
        var index = first
        while index < values.count, status == SQLITE_OK {
            let placeholder = Int32(index + 1)
            switch values[index] {
            case .null: status = sqlite3_bind_null(handle, placeholder)
            case .integer(let value): status = sqlite3_bind_int64(handle, placeholder, value)
            case .real(let value): status = sqlite3_bind_double(handle, placeholder, value)
            case .text(let text) where text.utf8.isEmpty: status = bindEmpty(values[index], placeholder)
            case .text(var text):
                if text.utf8.count >= Self.inPlaceThreshold {
                    // Typed throws do not pass through withUTF8.
                    let result = text.withUTF8 { bytes -> Result<R, E> in
                        let count = UInt64(bytes.count)
                        let status = csqlite_bind_text_in_place(handle, placeholder, bytes.baseAddress, count)
                        return self.continueBinding(values, after: index, status, body)
                    }
                    return try result.get()
                }
                status = text.withUTF8 {
                    csqlite_bind_text_copy(handle, placeholder, $0.baseAddress, UInt64($0.count))
                }
            case .utf8(let bytes) where bytes.isEmpty, .blob(let bytes) where bytes.isEmpty:
                status = bindEmpty(values[index], placeholder)
            case .utf8(let bytes), .blob(let bytes):
                let isText = if case .utf8 = values[index] { true } else { false }
                let result = bytes.withUnsafeBufferPointer { bytes -> Result<R, E> in
                    let count = UInt64(bytes.count)
                    let status =
                        isText
                        ? csqlite_bind_text_in_place(handle, placeholder, bytes.baseAddress, count)
                        : csqlite_bind_blob_in_place(handle, placeholder, bytes.baseAddress, count)
                    return self.continueBinding(values, after: index, status, body)
                }
                return try result.get()
            }
            index += 1
        }
        defer {
            sqlite3_reset(handle)
            if !values.isEmpty { sqlite3_clear_bindings(handle) }
        }
        return try body(status)
    }

    private func continueBinding<R, E: Error>(
        _ values: [Value], after index: Int, _ status: Int32, _ body: (Int32) throws(E) -> R
    ) -> Result<R, E> {
        do throws(E) {
            // A refused value ends the binding; the body sees the status and steps nothing.
            if status != SQLITE_OK { return .success(try body(status)) }
            return .success(try bind(values, from: index + 1, body))
        } catch {
            return .failure(error)
        }
    }

    /// What is empty may have no address, and a null pointer would bind NULL.
    private func bindEmpty(_ value: Value, _ placeholder: Int32) -> Int32 {
        if case .blob = value { return sqlite3_bind_zeroblob(handle, placeholder, 0) }
        return csqlite_bind_text_copy(handle, placeholder, "", 0)
    }
}
