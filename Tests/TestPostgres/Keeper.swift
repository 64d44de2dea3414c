import Foundation
import Glibc

/// The shell that keeps a server, and the two pipes to it.
struct Keeper {
    private let process = Process()
    private let orders = Pipe()
    private let answers = Pipe()
    private let log: String

    /// PostgreSQL does not run as root.
    private static let user = "postgres"

    /// A command that runs another as the user of servers; empty if this process is no root.
    static var asServerUser: String {
        geteuid() == 0 ? "setpriv --reuid=\(user) --regid=\(user) --clear-groups" : ""
    }

    /// A replica copies the server at those connection parameters, and follows it.
    init(
        tools: String, folder: String, port: Int, inRecovery: Bool, syncs: Bool,
        settings: [String: String], replicaOf primary: String?
    ) throws {
        log = folder + "/log"
        if geteuid() == 0 {
            guard let entry = getpwnam(Self.user) else {
                throw TestPostgres.Failed(
                    description: "there is no user \(Self.user): install Debian's postgresql")
            }
            guard chown(folder, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0 else {
                throw TestPostgres.Failed(description: "cannot give \(folder) to \(Self.user)")
            }
        }
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c",
            "trap '' INT TERM HUP; cd /; \(Self.asServerUser) sh -c \"$1\" sh \"$2\" \"$3\" \"$4\" \"$5\" \"$6\" \"$7\" \"$8\"; rm -rf \"$3\"",
            "sh",
            Self.script, tools, folder, String(port), inRecovery ? "standby.signal" : "",
            syncs ? "on" : "off",
            settings.sorted { $0.key < $1.key }.map { "\($0) = '\($1)'" }.joined(separator: "\n"),
            primary ?? "",
        ]
        process.standardInput = orders
        process.standardOutput = answers
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    func order(_ order: String, answer: String) throws {
        try orders.fileHandleForWriting.write(contentsOf: Data((order + "\n").utf8))
        try awaitWord(answer)
    }

    /// Returns when the server is stopped and its files are gone.
    func end() throws {
        try orders.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func awaitWord(_ word: String) throws {
        var said = ""
        while !said.hasSuffix("\n") {
            let data = answers.fileHandleForReading.availableData
            guard !data.isEmpty else { throw failure("it ended") }
            said += String(decoding: data, as: UTF8.self)
        }
        guard said == word + "\n" else { throw failure(said) }
    }

    private func failure(_ said: String) -> TestPostgres.Failed {
        let lines = ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").suffix(
            10)
        return TestPostgres.Failed(
            description: "the server did not start: \(said)\n\(lines.joined(separator: "\n"))")
    }

    /// Tools, folder, port, a file to make in the data's folder, whether to sync, lines of settings, the last of which count, and whose
    /// replica it is.
    private static let script = """
        tools=$1 folder=$2 port=$3 data=$2/data
        start() {
            "$tools/pg_ctl" -D "$data" -w -t 60 -l "$folder/log" start >/dev/null && echo started || echo failed
        }
        if [ -n "$7" ]; then
            "$tools/pg_basebackup" -d "$7" -D "$data" --no-sync -c fast -X stream -R >"$folder/log" 2>&1
        else
            "$tools/initdb" --no-sync -D "$data" -A trust -U postgres -E UTF8 --locale=C --no-instructions \
                >"$folder/log" 2>&1
        fi
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/CN=renga test' \
            -addext subjectAltName=IP:127.0.0.1 -keyout "$data/server.key" -out "$folder/cert.pem" 2>>"$folder/log"
        chmod 600 "$data/server.key"
        cat >>"$data/postgresql.conf" <<END
        port = $port
        listen_addresses = '127.0.0.1'
        unix_socket_directories = '$folder'
        ssl = on
        ssl_cert_file = '$folder/cert.pem'
        max_connections = 100
        max_prepared_transactions = 5
        shared_buffers = 32MB
        fsync = $5
        full_page_writes = $5
        jit = off
        $6
        END
        {
            echo 'local all all trust'
            echo 'local replication all trust'
            echo 'host all secretive 127.0.0.1/32 scram-sha-256'
            echo 'host all all 127.0.0.1/32 trust'
        } >"$data/pg_hba.conf"
        [ -z "$4" ] || : >"$data/$4"
        start
        while read -r order; do
            case $order in
            crash) "$tools/pg_ctl" -D "$data" -w -m immediate stop >/dev/null && echo crashed || echo failed ;;
            start) start ;;
            esac
        done
        "$tools/pg_ctl" -D "$data" -w -m immediate stop >/dev/null
        """
}
