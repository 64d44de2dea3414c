import Migrations
import Testing

@testable import JobStoreCopy

/// What a move does about whatever it finds in its two databases.
@Suite struct MovePlanTests {
    private func mark(_ state: MoveMark.State, id: Int64 = 7, to target: String = "b") -> MoveMark {
        MoveMark(state, id: id, source: "a", target: target, begunAt: 0, boot: 0, difference: 0)
    }

    private func plan(_ source: Standing, _ target: Standing) throws -> MovePlan {
        try MovePlan(from: source, named: "a", to: target, named: "b")
    }

    private func refusal(_ source: Standing, _ target: Standing) -> String {
        do { return "\(try plan(source, target))" } catch { return "\(error)" }
    }

    @Test func `A whole database moves into one without rows`() throws {
        for rows in [true, false] {
            #expect(try plan(.whole(hasRows: rows), .empty) == .begin)
            #expect(try plan(.whole(hasRows: rows), .whole(hasRows: false)) == .begin)
        }
    }

    @Test func `A move goes on wherever it was broken off`() throws {
        let (leaving, left) = (mark(.leaving), mark(.left))
        #expect(try plan(.marked(leaving), .empty) == .resume(leaving))
        #expect(try plan(.marked(leaving), .whole(hasRows: false)) == .resume(leaving))
        #expect(try plan(.marked(leaving), .marked(mark(.arriving))) == .resume(leaving))
        #expect(try plan(.marked(left), .marked(mark(.arriving))) == .resume(left))
        #expect(try plan(.marked(left), .whole(hasRows: true)) == .done(left))
    }

    @Test func `What holds anything else is no target`() {
        let own = "b holds data of its own"
        #expect(refusal(.whole(hasRows: true), .whole(hasRows: true)).contains(own))
        #expect(refusal(.whole(hasRows: true), .marked(mark(.left, to: "c"))).contains(own))
        let half = refusal(.whole(hasRows: true), .marked(mark(.arriving)))
        #expect(half.contains("a part of the jobs") && half.contains("renga move --from a --to b"))
        #expect(refusal(.whole(hasRows: true), .unfit("is no database")) == "b is no database")
        #expect(
            refusal(.marked(mark(.leaving)), .marked(mark(.arriving, id: 8))).contains("on their way to b"))
        #expect(
            refusal(.marked(mark(.leaving)), .whole(hasRows: true)).contains(
                "renga move --from a --take-back"))
    }

    @Test func `What is no source, or went elsewhere, is told so`() {
        #expect(refusal(.empty, .empty) == "there is no database of renga's in a")
        #expect(refusal(.unfit("is another's"), .empty) == "a is another's")
        #expect(refusal(.marked(mark(.arriving)), .empty).contains("target of another move"))
        #expect(refusal(.marked(mark(.leaving, to: "c")), .empty).contains("on their way to c"))
        #expect(refusal(.marked(mark(.left, to: "c")), .empty).contains("were moved to c"))
        #expect(refusal(.marked(mark(.left)), .empty).contains("where there are none now"))
    }

    @Test func `A version says what a database is`() {
        let mark = mark(.leaving)
        #expect(Standing(version: 3, newest: 3, hasRows: true, nil) == .whole(hasRows: true))
        #expect(Standing(version: -3, newest: 3, hasRows: true, mark) == .marked(mark))
        for (version, found) in [(-3, nil), (-2, mark), (2, nil), (4, nil), (-3, MoveMark(.same))] {
            guard case .unfit = Standing(version: version, newest: 3, hasRows: true, found) else {
                Issue.record("version \(version) can be moved")
                continue
            }
        }
    }
}
