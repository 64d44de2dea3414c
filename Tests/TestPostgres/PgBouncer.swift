import Foundation
import Glibc

/// Debian's pooler in front of a test's server, which ends with it or with the process.
package final class PgBouncer: Sendable {
    package enum Mode: String, Sendable {
        case session, transaction
    }

    package let port: Int
    private let orders: FileHandle

    private static let program = "/usr/sbin/pgbouncer"
    package static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }

    package init(before server: TestPostgres, _ mode: Mode) throws {
        port = try TestPostgres.freePort()
        let (process, orders, answers) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = [
            "-c", Self.script, "sh", Keeper.asServerUser, Self.program, server.folder, String(server.port),
            String(port), mode.rawValue,
        ]
        process.standardInput = orders
        process.standardOutput = answers
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.orders = orders.fileHandleForWriting
        let said = String(decoding: answers.fileHandleForReading.availableData, as: UTF8.self)
        guard said == "started\n" else {
            throw TestPostgres.Failed(description: "PgBouncer did not start: \(said)")
        }
    }

    deinit {
        // The shell reads no more, and ends it.
        try? orders.close()
    }

    /// How to become the server's user, program, the server's folder and port, own port, mode.
    private static let script = """
        trap '' INT TERM HUP
        cd /
        as=$1 program=$2 folder=$3 to=$4 port=$5 mode=$6
        $as sh -c 'cat >"$1"' sh "$folder/bouncer-$port.ini" <<END
        [databases]
        * = host=$folder port=$to
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = $port
        unix_socket_dir =
        auth_type = trust
        auth_file = $folder/bouncer-$port.users
        pool_mode = $mode
        END
        $as sh -c 'echo "\\"postgres\\" \\"\\"" >"$1"' sh "$folder/bouncer-$port.users"
        $as "$program" -q "$folder/bouncer-$port.ini" </dev/null >/dev/null 2>&1 &
        bouncer=$!
        tries=0
        until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || [ "$tries" -ge 300 ]; do
            kill -0 "$bouncer" 2>/dev/null || { echo "it ended"; exit 1; }
            tries=$((tries + 1))
            sleep 0.05
        done
        echo started
        while read -r _; do :; done
        kill -KILL "$bouncer"
        """
}
