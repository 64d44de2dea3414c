import Synchronization

/// What befalls one folder's database files, and what they are made to suffer.
///
/// Everything goes on to the real file system; the shared memory of a log (`-shm`) is no file to anybody here, as it does
/// not outlive its machine.
package final class Disk: Sendable {
    /// A file, which keeps its number when its name goes to another.
    package typealias FileNumber = Int

    /// What changes what is on a disk, in the order in which it was done.
    package enum Event: Sendable {
        case made(FileNumber, name: String, syncsFolder: Bool)
        case wrote(FileNumber, at: Int, [UInt8])
        case truncated(FileNumber, to: Int)
        case synced(FileNumber)
        /// What was written is still read back, and never reaches the disk: so the kernel treats a failed fsync(2).
        case lost(FileNumber)
        case removed(name: String, syncsFolder: Bool)
        /// What its owner wants to find again in the order of events.
        case marked(Int)
    }

    /// What can fail.
    package enum Operation: String, Sendable, CaseIterable { case open, write, sync, truncate, share }

    /// Which operations fail, counted from the moment when it is set.
    package struct Fault: Sendable {
        /// What kinds of operations fail, and with which of SQLite's result codes.
        package var codes: [Operation: Int32]
        /// Of these kinds, the first that fails, from 1.
        package var first: Int
        /// How many fail, from the first on.
        package var count: Int

        package init(codes: [Operation: Int32], first: Int, count: Int) {
            self.codes = codes
            self.first = first
            self.count = count
        }
    }

    private struct State {
        var events: [Event] = []
        var files: [String: FileNumber] = [:]
        var lastFile = 0
        var fault: Fault?
        var operations = 0
        var failures = 0

        mutating func failure(of operation: Operation) -> Int32? {
            guard let fault, let code = fault.codes[operation] else { return nil }
            operations += 1
            guard operations >= fault.first, operations - fault.first < fault.count else { return nil }
            failures += 1
            return code
        }
    }

    private let folder: String
    private let state = Mutex(State())

    /// Watches the files of that folder that are opened from now on, until it is let go.
    package init(folder: String) {
        self.folder = folder
        Shim.watch(folder, self)
    }

    package func unplug() { Shim.forget(folder) }

    package var events: [Event] { state.withLock(\.events) }

    package func mark(_ number: Int) {
        state.withLock { $0.events.append(.marked(number)) }
    }

    /// From now on operations are counted anew, and some fail; none where nil.
    package func set(_ fault: Fault?) {
        state.withLock { state in
            (state.fault, state.operations, state.failures) = (fault, 0, 0)
        }
    }

    /// How many operations failed since the fault was set.
    package var failures: Int { state.withLock(\.failures) }

    // MARK: What the shim tells

    /// Does an operation unless it is to fail; what succeeded is an event.
    func perform(
        _ operation: Operation, _ event: @autoclosure () -> Event?, onFailure: Event? = nil,
        _ body: () -> Int32
    ) -> Int32 {
        state.withLock { state in
            if let code = state.failure(of: operation) {
                if let onFailure { state.events.append(onFailure) }
                return code
            }
            let status = body()
            if status == 0, let event = event() { state.events.append(event) }
            return status
        }
    }

    func opened(_ name: String, isNew: Bool, syncsFolder: Bool) -> FileNumber {
        state.withLock { state in
            if let known = state.files[name], !isNew { return known }
            state.lastFile += 1
            state.files[name] = state.lastFile
            state.events.append(.made(state.lastFile, name: name, syncsFolder: syncsFolder))
            return state.lastFile
        }
    }

    func removed(_ name: String, syncsFolder: Bool) {
        state.withLock { state in
            guard state.files.removeValue(forKey: name) != nil else { return }
            state.events.append(.removed(name: name, syncsFolder: syncsFolder))
        }
    }
}
