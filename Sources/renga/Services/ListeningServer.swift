import HTTPServer
import Jobs
import System

/// A server that listens, and the service that ends it in order.
struct ListeningServer: Sendable {
    /// Under which this machine reaches it, with the port that it really has.
    let url: String
    /// Where it listens, as the settings say.
    let address: String
    var service: Service

    /// How many connections a simulated provider takes, all of one worker if need be: providers limit calls.
    static let providerConnections = 16_384

    /// Throws if the address is taken, or is none of this machine.
    ///
    /// With `connections`, so many are taken, and as many of one address.
    init(
        _ address: ListenAddress, handler: any Handler, grace: Milliseconds, connections: Int? = nil,
        memory: BodyMemory = .share()
    ) throws {
        var configuration = HTTPServer.Configuration(address: address.host, port: address.port)
        configuration.bodyMemory = memory
        configuration.grace = .milliseconds(grace)
        if let connections {
            configuration.connectionLimit = connections
            configuration.perAddressLimit = connections
        }
        let server = HTTPServer(configuration: configuration, handler: handler)
        do {
            try server.start()
        } catch {
            let hint =
                error.code == .addressInUse
                ? "; stop the program that listens there, or choose another port with --port N" : ""
            throw Failure("\(error)\(hint)")
        }
        var actual = address
        actual.port = server.port
        url = actual.url
        self.address = actual.text
        service = Service(name: "server") {
            await untilCancelled()
            await server.stop()
        }
    }
}

extension BodyMemory {
    /// An eighth of the memory that this process may use, as a body takes several times its size while it is read.
    static func share() -> BodyMemory {
        BodyMemory(limit: min(512 << 20, max(16 << 20, memoryLimit() / 8)))
    }
}
