package import Jobs

extension Verdict {
    /// The error that it carries.
    package var error: JobError? {
        switch self {
        case .succeeded, .handedBack: nil
        case .again(_, let error, _), .wait(let error), .failed(let error): error
        case .rejected(let failure): failure.error
        }
    }
}
