import Jobs
import TestSupport
import Testing

/// All that can happen in a small world, in whatever order.
@Suite(.onThread) struct ExhaustiveTests {
    struct Result {
        var states = 0
        var moves = 0
        var isComplete = false
        var found: [String] = []
        var path: [SmallWorld.Move] = []
    }

    private struct Node {
        /// Nil once it has been gone on from.
        var state: SmallWorld?
        let key: StateKey
        let parent: Int
        let move: SmallWorld.Move?
    }

    /// Breadth first, so that what is found has the shortest way to it.
    static func search(_ start: SmallWorld, atMost: Int) throws -> Result {
        var result = Result()
        var nodes = [Node(state: start, key: StateKey(start), parent: -1, move: nil)]
        var seen: Set<StateKey> = [nodes[0].key]
        var next = 0
        while next < nodes.count, nodes.count < atMost {
            let key = nodes[next].key
            guard let state = nodes[next].state.take() else { break }
            for move in state.moves() {
                guard let state = try state.after(move, from: key) else { continue }
                result.moves += 1
                let key = StateKey(state)
                guard seen.insert(key).inserted else { continue }
                nodes.append(Node(state: state, key: key, parent: next, move: move))
                result.found = try state.world.violations() + state.left()
                guard result.found.isEmpty else {
                    result.path = path(to: nodes.count - 1, nodes)
                    result.states = nodes.count
                    return result
                }
            }
            next += 1
        }
        result.states = nodes.count
        result.isComplete = next == nodes.count
        return result
    }

    private static func path(to last: Int, _ nodes: [Node]) -> [SmallWorld.Move] {
        var (path, place) = ([SmallWorld.Move](), last)
        while place >= 0 {
            if let move = nodes[place].move { path.append(move) }
            place = nodes[place].parent
        }
        return path.reversed()
    }

    // MARK: Tests

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let locks: Locks
        let prompts: [Int]
        let faults: SmallWorld.Faults
    }

    static let cases = [
        Case(
            testDescription: "sqlite", locks: .sqlite, prompts: [1, 1, 2],
            faults: .init(crashes: 2, failures: 2, cancels: 1)),
        Case(
            testDescription: "postgres", locks: .postgres, prompts: [1, 1],
            faults: .init(crashes: 1, failures: 0, cancels: 0)),
    ]

    @Test(arguments: cases)
    func
        `no order of steps, crashes and late answers breaks an invariant, and from each state every job can end`(
            _ small: Case
        ) throws
    {
        let start = ContinuousClock.now
        let result = try Self.search(
            SmallWorld(locks: small.locks, jobs: small.prompts, faults: small.faults), atMost: 5_000_000)
        print(
            "\(small.testDescription): \(result.states) states, \(result.moves) moves, complete: \(result.isComplete), \(ContinuousClock.now - start)"
        )
        #expect(result.isComplete)
        #expect(result.found == [], "\(result.path)")
    }
}
