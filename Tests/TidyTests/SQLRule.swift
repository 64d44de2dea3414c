/// SQL stands beside the code that binds it: in migrations and the stores, and nowhere else.
///
/// The SQLite module speaks to its library in pragmas, transactions and savepoints, and the Postgres module asks its server's
/// functions who it is, but both of no table.
let sqlStaysInTheStore = Rule("SQL is written in migrations and the stores only") { file in
    guard file.module != "Migrations", !file.module.hasPrefix("JobStore") else { return [] }
    return file.code.indices.compactMap { index in
        // A statement often goes over several lines; the one it begins on is the one to report.
        let text = file.code[index] + "\n" + (index + 1 < file.code.count ? file.code[index + 1] : "")
        let speaks = speaksOfTables(text, beginningIn: file.code[index])
        guard
            speaks && !(file.module == "Postgres" && asksTheServer(text))
                || file.module != "SQLite" && steers(text)
        else { return nil }
        return Offence(
            path: file.path, line: index + 1,
            advice: "SQL belongs in migrations/ or a store: give the store a verb for what you need")
    }
}

private func speaksOfTables(_ text: String, beginningIn line: String) -> Bool {
    let keywords = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP"]
    guard keywords.contains(where: line.contains) else { return false }
    let statement =
        #/\bSELECT\s+[\w*(?]|\bINSERT\s+(OR\s+\w+\s+)?INTO\b|\bUPDATE\s+\w+\s+SET\b|\bDELETE\s+FROM\b|\b(CREATE|ALTER|DROP)\s+(UNIQUE\s+|TEMP\s+)?(TABLE|INDEX|VIEW|TRIGGER)\b/#
    guard let match = text.firstMatch(of: statement) else { return false }
    return match.range.lowerBound < text.index(text.startIndex, offsetBy: line.count)
}

private func asksTheServer(_ text: String) -> Bool {
    text.contains(#/\bSELECT\s+\(?\w+\(/#) && !text.contains("FROM")
}

private func steers(_ text: String) -> Bool {
    guard ["PRAGMA", "SAVEPOINT", "VACUUM", "BEGIN"].contains(where: text.contains) else { return false }
    return text.contains(
        #/\bPRAGMA\s+\w|\bSAVEPOINT\s+\w|\bVACUUM\b|\bBEGIN\s+(IMMEDIATE|EXCLUSIVE|DEFERRED)\b/#)
}
