import JSON

/// Flags that choose jobs, by the names that the API has for them.
enum FilterFlags {
    private static let fields: [(flag: Flag, field: String)] = [
        (
            Flag("state", "STATE", "in this state: queued, running, succeeded, failed, cancelled or review"),
            "state"
        ),
        (Flag("queue", "NAME", "in this queue"), "queue"),
        (Flag("batch", "NAME", "in this batch, by name or id"), "batch_id"),
        (Flag("custom-id", "ID", "with this custom_id"), "custom_id"),
        (Flag("tag", "TAG", "with this tag"), "tag"),
        (Flag("model", "MODEL", "for this model"), "model"),
        (Flag("error-type", "TYPE", "failed with this error"), "error_type"),
        (Flag("created-after", "TIME", "created after this RFC 3339 time"), "created_after"),
        (Flag("created-before", "TIME", "created before this RFC 3339 time"), "created_before"),
    ]

    static let all = fields.map(\.flag)

    /// What was given, by the API's names.
    static func given(_ invocation: Invocation) -> [(String, String?)] {
        fields.compactMap { flag, field in invocation[flag.name].map { (field, $0) } }
    }

    /// The same as members of an object under way.
    static func write(_ invocation: Invocation, to writer: inout JSONWriter) {
        for (name, value) in given(invocation) { writer.field(name, value) }
    }
}
