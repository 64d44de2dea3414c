/// A column as both schemas have it.
struct CopiedColumn: Sendable {
    enum Kind: Sendable, Equatable {
        case integer, real, text, bytes
        /// 0 or 1 in SQLite.
        case flag
        /// A text of JSON; in PostgreSQL its bytes.
        case json
        /// Milliseconds of the database's clock; in SQLite of the boot clock, beside a column that names the boot.
        case moment(boot: String)
        /// Numbers: `,3,7,` in SQLite, where none is NULL.
        case list
    }

    /// In PostgreSQL.
    let name: String
    /// In SQLite.
    let fileName: String
    let kind: Kind
    var isOptional = false
    /// Whether it may quote an answer, in which anything can be: a NUL character is replaced then, as PostgreSQL's store does.
    var isQuoting = false

    private init(_ name: String, _ kind: Kind, inFile fileName: String? = nil) {
        self.name = name
        self.fileName = fileName ?? name
        self.kind = kind
    }

    static func integer(_ name: String) -> Self { Self(name, .integer) }
    static func real(_ name: String, inFile fileName: String? = nil) -> Self {
        Self(name, .real, inFile: fileName)
    }
    static func text(_ name: String) -> Self { Self(name, .text) }
    static func bytes(_ name: String) -> Self { Self(name, .bytes) }
    static func flag(_ name: String) -> Self { Self(name, .flag) }
    static func json(_ name: String) -> Self { Self(name, .json) }
    static func list(_ name: String) -> Self { Self(name, .list) }
    static func moment(_ name: String, boot: String, inFile fileName: String? = nil) -> Self {
        Self(name, .moment(boot: boot), inFile: fileName)
    }

    /// May be null.
    var optional: Self {
        var column = self
        column.isOptional = true
        return column
    }

    var quoting: Self {
        var column = self
        column.isQuoting = true
        return column
    }
}
