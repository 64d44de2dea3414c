/// Why the server could not start, or a body not be read or written to its end.
package struct HTTPServerError: Error, Sendable, Equatable, CustomStringConvertible {
    package struct Code: Sendable, Equatable {
        private let name: String

        /// `start` was called on a server that is running or has stopped.
        package static let alreadyStarted = Code(name: "already_started")
        package static let badAddress = Code(name: "bad_address")
        package static let addressInUse = Code(name: "address_in_use")
        package static let notPermitted = Code(name: "not_permitted")

        /// A system call failed.
        package static let system = Code(name: "system")

        /// The client went away before it had the whole answer.
        package static let hungUp = Code(name: "hung_up")

        /// The connection ended, or a deadline did, before the whole body had come.
        package static let uploadCut = Code(name: "upload_cut")
    }

    package let code: Code
    package let message: String

    package var description: String { message }

    static let hungUp = HTTPServerError(code: .hungUp, message: "the client hung up")
    static let uploadCut = HTTPServerError(code: .uploadCut, message: "the upload ended early")
}
