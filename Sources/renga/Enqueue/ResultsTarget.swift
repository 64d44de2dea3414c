import System

/// Where results go: a file that takes its name once it is complete, or what is there already and takes them as they come.
enum ResultsTarget: Equatable {
    case standardOutput
    /// A regular file, or a name that is still free; behind all links.
    case file(String)
    /// A pipe, a terminal, `/dev/null`: replacing it by a file would be wrong.
    case device(String)

    /// Throws for what cannot take results, before anything is sent: a folder, one that takes no files, or the input itself
    /// under whatever name.
    init(_ path: String, input: String? = nil) throws {
        if path == "-" {
            self = .standardOutput
            return
        }
        if let input, FileKind.areSame(path, input: input) {
            throw Failure(
                "--out is “\(path)”, which is the input; the results would replace it. Nothing was sent. Choose another file: --out results.jsonl"
            )
        }
        switch FileKind(path) {
        case .directory: throw Failure("--out is “\(path)”, which is a folder: choose a file")
        case .device: self = .device(path)
        case .regular, .missing:
            let target = resolvedPath(path) ?? path
            do {
                _ = try OutputFile(path: target)
            } catch {
                throw Failure("--out is “\(path)”: \(error)")
            }
            self = .file(target)
        }
    }
}

/// Brings lines to their target.
struct ResultsSink: ~Copyable {
    private var file: OutputFile? = nil
    private var device: DeviceFile? = nil

    init(_ target: ResultsTarget) throws {
        switch target {
        case .standardOutput: break
        case .device(let path): device = try DeviceFile(path: path)
        case .file(let path): file = try OutputFile(path: path)
        }
    }

    mutating func append(_ bytes: [UInt8]) throws {
        if file != nil {
            try file?.append(bytes)
        } else if device != nil {
            try device?.write(bytes)
        } else {
            try Console.write(bytes)
        }
    }

    /// A file is then all there, or not at all.
    mutating func finish() throws {
        try file?.finish()
    }
}
