import Glibc
import System

/// How to start a process: no shell, no descriptor but the three, no variable but those given.
struct Launch {
    var name: String
    var program: String
    var arguments: [String]
    var environment: [String: String]
    /// Where it runs.
    var folder: String
    /// Where the files of its output go.
    var outputs: String
    /// What it reads; nothing where nil.
    var input: String?

    func spawn(output: String, errors: String) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        _ = addChdir(&actions, folder)
        posix_spawn_file_actions_addopen(&actions, 0, input ?? "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        _ = addCloseFrom(&actions, 3)
        var attributes = try plainSignals()
        defer { posix_spawnattr_destroy(&attributes) }
        let command = ChildReaper.command + [program] + arguments
        let words = command.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid: pid_t = 0
        let status = posix_spawn(&pid, command[0], &actions, &attributes, words, variables)
        guard status == 0 else {
            throw Disappointment("cannot start \(program): \(String(cString: strerror(status)))")
        }
        return pid
    }

    /// What this process ignores or blocks, the child must not.
    private func plainSignals() throws -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        return attributes
    }
}

// glibc has these since 2.29 and 2.34, and its module does not show them.
private let addChdir = symbol(
    "posix_spawn_file_actions_addchdir_np",
    as: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, UnsafePointer<CChar>) -> Int32)
        .self)
private let addCloseFrom = symbol(
    "posix_spawn_file_actions_addclosefrom_np",
    as: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32).self)

private func symbol<Function>(_ name: String, as type: Function.Type) -> Function {
    guard let address = dlsym(nil, name) else { preconditionFailure("glibc has no \(name)") }
    return unsafeBitCast(address, to: type)
}

/// The program under proof.
enum Binary {
    /// Beside the test's own executable; or `RENGA_BINARY`, for an optimised one.
    static let path = environmentVariable("RENGA_BINARY") ?? withCrashPoints

    /// Always the unoptimised one: no other can be told to die.
    static let withCrashPoints = folder(of: "renga").map { $0 + "/renga" } ?? "renga-was-not-built"

    /// Where the tests were built, and what they preload.
    static let testFolder = folder(of: "libFakeCalendar.so") ?? "libFakeCalendar.so-was-not-built"

    private static func folder(of file: String) -> String? {
        let places = [ownPath] + CommandLine.arguments
        let folders = places.map { $0.split(separator: "/", omittingEmptySubsequences: false) }
            .map { $0.dropLast().joined(separator: "/") }
        return folders.first { access($0 + "/" + file, R_OK) == 0 }
    }

    private static var ownPath: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
