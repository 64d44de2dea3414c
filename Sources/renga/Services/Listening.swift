import HTTPServer
import Jobs

/// A server that listens, and the service that ends it in order.
struct Listening: Sendable {
    /// Under which this machine reaches it, with the port that it really has.
    let url: String
    var service: Service

    /// Throws where the address is taken, or is none of this machine.
    init(_ address: ListenAddress, handler: any Handler, grace: Milliseconds) throws {
        var configuration = HTTPServer.Configuration(address: address.host, port: address.port)
        configuration.grace = .milliseconds(grace)
        let server = HTTPServer(configuration: configuration, handler: handler)
        do {
            try server.start()
        } catch {
            let hint =
                error.code == .addressInUse
                ? "; stop what listens there, or choose another port with --port" : ""
            throw Failure("\(error)\(hint)")
        }
        var actual = address
        actual.port = server.port
        url = actual.url
        service = Service(name: "server") {
            await untilCancelled()
            await server.stop()
        }
    }
}
