import Glibc

extension ConnectionSettings {
    typealias Words = UnsafePointer<UnsafePointer<CChar>?>

    /// Lends libpq's keywords and values, both ended by a null pointer, to the closure.
    func withPairs<R>(for host: Host, _ body: (_ keywords: Words, _ values: Words) -> R) -> R {
        var pairs = forLibrary(host).compactMap { name, value in value.map { (name, $0) } }
        password?.withText { pairs.append(("password", $0)) }
        let keywords = pairs.map { strdup($0.0) }
        let values = pairs.map { strdup($0.1) }
        defer { for word in keywords + values { free(word) } }
        return (keywords + [nil]).map { UnsafePointer($0) }.withUnsafeBufferPointer { keywords in
            (values + [nil]).map { UnsafePointer($0) }.withUnsafeBufferPointer { values in
                guard let keywords = keywords.baseAddress, let values = values.baseAddress else {
                    preconditionFailure("both end with a null pointer")
                }
                return body(keywords, values)
            }
        }
    }
}
