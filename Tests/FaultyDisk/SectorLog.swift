/// What is on a disk when its power is cut: what was synced, and of the rest what chance leaves.
package struct SectorLog {
    /// What became of the writes after a file's last sync.
    package enum Rest: Sendable, CaseIterable {
        case dropped, kept
        /// Some sectors are there, some are not, some are half there, in whatever order they were written.
        case torn
    }

    private enum Change {
        case write(at: Int, [UInt8])
        case truncate(to: Int)
    }

    private struct File {
        var synced: [UInt8] = []
        var pending: [Change] = []
        /// Its first sync makes its name, and all changes of names before, lasting.
        var syncsFolder: Bool
    }

    private static let sector = 512

    private var files: [Disk.FileNumber: File] = [:]
    private var names: [String: Disk.FileNumber] = [:]
    private var pendingNames: [(name: String, file: Disk.FileNumber?)] = []
    private let obeysSyncs: Bool

    /// A disk that does not obey syncs keeps nothing for certain: to show that the proofs would notice.
    package init(obeysSyncs: Bool = true) {
        self.obeysSyncs = obeysSyncs
    }

    package mutating func apply(_ event: Disk.Event) {
        switch event {
        case .made(let file, let name, let syncsFolder):
            files[file] = File(syncsFolder: syncsFolder)
            pendingNames.append((name, file))
        case .wrote(let file, let offset, let bytes):
            files[file]?.pending.append(.write(at: offset, bytes))
        case .truncated(let file, let size):
            files[file]?.pending.append(.truncate(to: size))
        case .synced(let file) where obeysSyncs: sync(file)
        case .removed(let name, let syncsFolder):
            pendingNames.append((name, nil))
            if syncsFolder { syncNames() }
        case .lost(let file): files[file]?.pending = []
        case .synced, .marked: break
        }
    }

    /// The files by name, as they are found afterwards.
    package func image(_ rest: Rest, using random: inout some RandomNumberGenerator) -> [String: [UInt8]] {
        var names = names
        let kept =
            switch rest {
            case .dropped: 0
            case .kept: pendingNames.count
            case .torn: Int.random(in: 0...pendingNames.count, using: &random)
            }
        for (name, file) in pendingNames.prefix(kept) { names[name] = file }
        return names.compactMapValues { number in
            guard let file = files[number] else { return nil }
            var bytes = file.synced
            for change in file.pending where rest != .dropped {
                if rest == .kept {
                    Self.apply(change, to: &bytes)
                } else {
                    Self.tear(change, into: &bytes, using: &random)
                }
            }
            return bytes
        }
    }

    private mutating func sync(_ number: Disk.FileNumber) {
        guard var file = files[number] else { return }
        for change in file.pending { Self.apply(change, to: &file.synced) }
        file.pending = []
        if file.syncsFolder { syncNames() }
        file.syncsFolder = false
        files[number] = file
        // A file that is synced can be found, whatever becomes of other names: fsync(2) of the usual file systems.
        if let index = pendingNames.firstIndex(where: { $0.file == number }) {
            names[pendingNames[index].name] = number
            pendingNames.remove(at: index)
        }
    }

    private mutating func syncNames() {
        for (name, file) in pendingNames { names[name] = file }
        pendingNames = []
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .write(let offset, let written): put(written[...], at: offset, into: &bytes)
        case .truncate(let size): resize(&bytes, to: size)
        }
    }

    private static func tear(
        _ change: Change, into bytes: inout [UInt8], using random: inout some RandomNumberGenerator
    ) {
        switch change {
        case .truncate(let size):
            if Bool.random(using: &random) { resize(&bytes, to: size) }
        case .write(let offset, let written):
            var start = 0
            while start < written.count {
                let end = min(written.count, ((offset + start) / sector + 1) * sector - offset)
                let kept =
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0: start..<(start + end) / 2
                    case 1..<6: start..<end
                    default: start..<start
                    }
                put(written[kept], at: offset + start, into: &bytes)
                start = end
            }
        }
    }

    private static func put(_ piece: ArraySlice<UInt8>, at offset: Int, into bytes: inout [UInt8]) {
        guard !piece.isEmpty else { return }
        if bytes.count < offset + piece.count { resize(&bytes, to: offset + piece.count) }
        bytes.replaceSubrange(offset..<offset + piece.count, with: piece)
    }

    private static func resize(_ bytes: inout [UInt8], to size: Int) {
        if size < bytes.count {
            bytes.removeLast(bytes.count - size)
        } else {
            bytes.append(contentsOf: repeatElement(0, count: size - bytes.count))
        }
    }
}
