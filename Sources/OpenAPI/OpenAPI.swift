/// The description of the HTTP API that the server gives away, as embedded in the binary.
///
/// `openapi.json` beside this file is written by hand; tests hold it to what is served.
package enum OpenAPI {
    /// An OpenAPI 3.1 document: JSON in UTF-8.
    package static let document: [UInt8] = PackageResources.openapi_json
}
