import HTTPServer

extension RequestHead {
    /// The value of a header that says one thing; nil without it.
    ///
    /// Throws if it is sent more than once with values that differ: which of them counts would be a guess.
    func onlyValue(of name: String) throws(Problem) -> String? {
        let values = headers.all(name)
        if let other = values.first(where: { $0 != values[0] }) {
            throw Problem(
                .invalidHeader,
                "“\(name)” is sent with different values, “\(values[0].prefix(100))” and “\(other.prefix(100))”: send it once",
                field: name)
        }
        return values.first
    }
}
