import Migrations

/// How a database stands before a move.
enum Standing: Equatable {
    /// There is none, or none of renga's tables.
    case empty
    /// Stores can open it; one that has no rows yet can take some.
    case whole(hasRows: Bool)
    /// It takes part in a move.
    case marked(MoveMark)
    /// It can take part in none; why, as what follows its name in a sentence.
    case unfit(String)

    /// By its schema's version; `newest` is the one that can be copied.
    init(version: Int, newest: Int, hasRows: Bool, _ mark: MoveMark?) {
        switch version {
        case newest: self = .whole(hasRows: hasRows)
        case ..<0:
            guard version == -newest, let mark, mark.id != 0 else {
                self = .unfit("is a copy that another version of renga began, or no move")
                return
            }
            self = .marked(mark)
        case ..<newest:
            self = .unfit(
                "has schema version \(version), this renga copies \(newest): run renga migrate on it")
        default:
            self = .unfit("has schema version \(version), this renga copies \(newest): use a newer renga")
        }
    }
}
