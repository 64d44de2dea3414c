import HTTPServer

@testable import API

extension API {
    /// What the server does with a request that has come whole.
    func respond(to request: Request) async -> Response {
        await receive(request.head).respond(request)
    }

    func policy(for head: RequestHead) -> BodyPolicy { receive(head).body }
}
