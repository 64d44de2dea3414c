import Glibc

/// The property that this process tries, by the environment's word for it.
private let property: Property = {
    let name = getenv("RENGA_FUZZ_PROPERTY").map { String(cString: $0) } ?? ""
    guard let property = Property.all.first(where: { $0.name == name }) else {
        fatalError("RENGA_FUZZ_PROPERTY must be one of \(Property.all.map(\.name))")
    }
    return property
}()

/// What libFuzzer calls with each input (https://llvm.org/docs/LibFuzzer.html#fuzz-target).
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    do {
        try property.check(Array(UnsafeBufferPointer(start: data, count: size)))
    } catch {
        fatalError("\(property.name): \(error)")
    }
    return 0
}
