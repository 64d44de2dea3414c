/// Whose certificates are trusted, over what libcurl was built with.
///
/// A file takes the place of the standard file, a folder that of the standard folder; what is nil stays. So with a file
/// alone, the certificates in the system's folder count as before.
package struct Authorities: Hashable, Sendable {
    /// Certificates in PEM form, one after the other.
    package var file: String?
    /// Certificates in files that are named by their hash, as `openssl rehash` names them.
    package var folder: String?

    package init(file: String? = nil, folder: String? = nil) {
        self.file = file
        self.folder = folder
    }

    /// Those that libcurl was built with.
    package static let standard = Authorities()
}
