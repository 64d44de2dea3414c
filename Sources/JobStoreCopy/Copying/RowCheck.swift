extension CopiedTable {
    /// Throws what is wrong with a row; `previous` is the one before it.
    func check(_ row: CopiedRow, after previous: CopiedRow?) throws(CopyError) {
        for (column, value) in zip(columns, row) {
            if let defect = column.defect(value) { throw self.defect(row, column, defect) }
        }
        guard let previous else { return }
        guard follows(row, previous) else {
            throw CopyError("\(describe(row)) stands there twice, or out of its order")
        }
    }

    func defect(_ row: CopiedRow, _ column: CopiedColumn, _ words: String) -> CopyError {
        CopyError("\(describe(row)) cannot be copied: \(column.name) \(words)")
    }

    private func follows(_ row: CopiedRow, _ previous: CopiedRow) -> Bool {
        for (before, value) in zip(previous, row).prefix(keyCount) where before != value {
            return CopiedValue.precedes(before, value)
        }
        return false
    }
}

extension CopiedColumn {
    /// What one of the databases would refuse, or give back otherwise.
    fileprivate func defect(_ value: CopiedValue) -> String? {
        switch value {
        case .null where !isOptional: "is null"
        case .real(let number) where number.isNaN: "is not a number"
        case .text(let text) where text.utf8.contains(0):
            "holds a NUL character, which PostgreSQL cannot store"
        case .bytes(let bytes) where kind == .json && String(validating: bytes, as: UTF8.self) == nil:
            "is no text"
        default: nil
        }
    }
}
