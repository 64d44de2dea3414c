import Crypto

/// What an operator says of prices, budgets and routes, as the processes of one database compare it.
///
/// A file is one statement, all of it; each budget of the environment is one of its own. The newest of a subject is in
/// force; those before it are superseded.
package struct ConfigurationStatement: Hashable, Sendable {
    /// Empty for a file.
    package var subject: String
    /// What is said, by the keys of the file.
    package var content: [String: String]
    /// The file, or the variable.
    package var source: String

    package init(subject: String, content: [String: String], source: String) {
        self.subject = subject
        self.content = content
        self.source = source
    }

    /// A line for each key.
    package var text: String {
        content.sorted { $0.key < $1.key }
            .map { "\($0.key)\t\($0.value.filter { !$0.isNewline })" }
            .joined(separator: "\n")
    }

    /// Empty if nothing is said.
    package var fingerprint: String { content.isEmpty ? "" : SHA256.hash(Array(text.utf8)).hex }

    package static func content(of text: String) -> [String: String] {
        let pairs = text.split(separator: "\n").compactMap { line -> (String, String)? in
            let parts = line.split(separator: "\t", maxSplits: 1).map(String.init)
            return parts.count == 2 ? (parts[0], parts[1]) : nil
        }
        return Dictionary(pairs) { first, _ in first }
    }

    /// One that was made, as the database keeps it.
    package struct Made: Hashable, Sendable {
        package var fingerprint: String
        package var content: [String: String]
        package var source: String
        package var madeAt: Timestamp

        package init(fingerprint: String, content: [String: String], source: String, madeAt: Timestamp) {
            self.fingerprint = fingerprint
            self.content = content
            self.source = source
            self.madeAt = madeAt
        }
    }

    package enum Standing: Hashable, Sendable {
        case inForce
        /// Never said before: from now on it counts for all.
        case new
        case superseded(by: Made)
    }

    /// `history` has those of the same subject, the newest first.
    package func standing(in history: [Made]) -> Standing {
        guard let newest = history.first else { return content.isEmpty ? .inForce : .new }
        if newest.fingerprint == fingerprint { return .inForce }
        // Who says nothing cannot go by what another says.
        if content.isEmpty || history.contains(where: { $0.fingerprint == fingerprint }) {
            return .superseded(by: newest)
        }
        return .new
    }

    /// Why a process with this one may not start.
    package func refusal(_ newest: Made) -> String {
        let keys = Set(content.keys).union(newest.content.keys).sorted()
            .filter { content[$0] != newest.content[$0] }
        let differences = keys.prefix(20).map { key in
            "  \(key): here \(content[key] ?? "nothing"), in force \(newest.content[key] ?? "nothing")"
        }
        let more = keys.count > 20 ? ["  and \(keys.count - 20) more"] : []
        let own =
            content.isEmpty
            ? "this process has none" : "this process brings one that was in force before"
        return """
            the database goes by a newer configuration, stated at \(newest.madeAt.text) from \(newest.source), and \(own)\
            \(source.isEmpty ? "" : " (\(source))"). What differs:
            \((differences + more).joined(separator: "\n"))
            Give it the same configuration, or go back on purpose with --adopt-config (RENGA_ADOPT_CONFIG=on)
            """
    }
}
