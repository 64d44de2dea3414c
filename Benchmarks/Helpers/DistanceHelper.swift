import RawServer
import System

/// Stands between a server of this machine and its clients as a network would: each byte arrives so many microseconds later, either way.
struct DistanceHelper {
    private let port: Int
    private let microseconds: Int

    init(_ words: [String]) throws {
        guard words.count == 3, let port = Int(words[1]), let microseconds = Int(words[2]),
            0...1_000_000 ~= microseconds
        else { throw BenchmarkError("a distance wants a server's port and the microseconds of one way") }
        (self.port, self.microseconds) = (port, microseconds)
    }

    func run() async throws {
        let (port, microseconds) = (port, microseconds)
        let relay = ScriptedServer { peer in peer.relay(to: port, microsecondsEachWay: microseconds) }
        Helper.report("port \(relay.port)")
        for await _ in Signals.stream(Signals.endings) { break }
    }
}
