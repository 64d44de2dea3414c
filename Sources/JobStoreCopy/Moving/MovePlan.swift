import Migrations

/// What a move has to do, by how its databases stand.
enum MovePlan: Equatable {
    case begin
    /// The source has this mark; the target has rows of the same move, or none yet.
    case resume(MoveMark)
    /// All was moved before.
    case done(MoveMark)

    /// The names are as a shell takes them.
    ///
    /// Throws why there can be no move; nothing was changed then.
    init(from source: Standing, named sourceName: String, to target: Standing, named targetName: String)
        throws(CopyError)
    {
        switch source {
        case .empty: throw CopyError("there is no database of renga's in \(sourceName)")
        case .unfit(let words): throw CopyError("\(sourceName) \(words)")
        case .whole:
            try Self.demandRoom(target, targetName)
            self = .begin
        case .marked(let mark):
            guard mark.state != .arriving else {
                throw CopyError(
                    "\(sourceName) is the target of another move, which is not at its end. To go on: \(mark.command)"
                )
            }
            self = try Self.taken(up: mark, target, targetName)
        }
    }

    private static func taken(up mark: MoveMark, _ target: Standing, _ name: String) throws(CopyError)
        -> MovePlan
    {
        switch target {
        case .marked(let other) where other.id == mark.id && other.state == .arriving: return .resume(mark)
        case .whole(hasRows: true) where mark.state == .left && mark.target == name: return .done(mark)
        case .empty where mark.target == name, .whole(hasRows: false) where mark.target == name:
            guard mark.state == .leaving else {
                throw CopyError(
                    "the jobs of \(mark.source) were moved to \(name), where there are none now. Put that database back; "
                        + "or forget the move, and begin anew: \(mark.takingBack)")
            }
            return .resume(mark)
        default:
            throw CopyError(
                "the jobs of \(mark.source) \(mark.state == .left ? "were moved" : "are on their way") to \(mark.target). "
                    + (mark.state == .left ? "" : "To go on: \(mark.command)   ")
                    + "To forget that move: \(mark.takingBack)")
        }
    }

    private static func demandRoom(_ target: Standing, _ name: String) throws(CopyError) {
        switch target {
        case .empty, .whole(hasRows: false): return
        case .whole: throw CopyError("\(name) holds data of its own: name a database that is empty")
        case .unfit(let words): throw CopyError("\(name) \(words)")
        case .marked(let mark) where mark.state == .arriving:
            throw CopyError(
                "\(name) holds a part of the jobs of \(mark.source), of a move that is not at its end. To go on with that: "
                    + "\(mark.command)   For another move name an empty database")
        case .marked(let mark):
            throw CopyError(
                "\(name) holds data of its own, which went to \(mark.target): name a database that is empty")
        }
    }
}
