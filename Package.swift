// swift-tools-version: 6.3
import PackageDescription

/// System packages, by the library that needs them.
///
/// Nothing else is linked, and no Swift package is used.
let systemLibraries: [Target] = [
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(
        name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    // Declarations only: libpq is loaded when PostgreSQL is first asked for (decision 24).
    .systemLibrary(name: "CPQ"),
    // The C library itself, as far as Swift's Glibc module leaves it out.
    .systemLibrary(name: "CLinux"),
]

/// Modules that may touch C: every other module is built with strict memory safety.
let touchesC: Set<String> = [
    "Crypto", "CrashPoint", "System", "SQLite", "Postgres", "HTTPServer", "HTTPClient",
]

/// Modules with embedded files: what SwiftPM writes for those knows nothing of memory safety.
let embeds: Set<String> = ["Migrations", "OpenAPI"]

let modules: [Target] = [
    // Where tests have a process die; nothing in an optimised build.
    .target(name: "CrashPoint"),

    // What knows nothing of jobs: one technology each.
    .target(name: "JSON"),
    .target(name: "Crypto", dependencies: ["CCrypto"]),
    .target(name: "System", dependencies: ["CLinux"]),
    .target(name: "Telemetry", dependencies: ["JSON"]),
    .target(name: "SQLite", dependencies: ["CSQLite", "System", "CrashPoint"]),
    .target(name: "Postgres", dependencies: ["CPQ", "System"]),
    .target(name: "HTTPServer", dependencies: ["CMicroHTTPD", "System"]),
    .target(name: "HTTPClient", dependencies: ["CCurl", "System", "CrashPoint"]),

    // What a job is and what may happen to it: pure.
    // Rounding is libm's in an unoptimised build, and no module of Jobs brings it along.
    .target(name: "Jobs", dependencies: ["JSON", "Crypto"], linkerSettings: [.linkedLibrary("m")]),

    // What is decided about jobs, over what a store has loaded: pure.
    .target(name: "StoreRules", dependencies: ["Jobs", "JSON"]),

    // What does the work.
    .target(
        name: "Migrations", path: "migrations", resources: [.embedInCode("sqlite"), .embedInCode("postgres")]),
    .target(
        name: "JobStoreSQLite",
        dependencies: ["StoreRules", "Jobs", "JSON", "SQLite", "Migrations", "CrashPoint"]),
    .target(
        name: "JobStorePostgres", dependencies: ["StoreRules", "Jobs", "Postgres", "Migrations", "System"]),
    // Rows on their way between the two.
    .target(
        name: "JobStoreCopy",
        dependencies: ["SQLite", "Postgres", "Migrations", "Crypto", "System", "CrashPoint"]),
    .target(name: "Models", dependencies: ["Jobs", "JSON", "HTTPClient"]),
    .target(name: "Worker", dependencies: ["Jobs", "Telemetry", "CrashPoint"]),
    .target(name: "Dialects", dependencies: ["Jobs", "JSON"]),
    .target(name: "OpenAPI", resources: [.embedInCode("openapi.json")]),
    .target(
        name: "API",
        dependencies: [
            "Jobs", "Dialects", "JSON", "Crypto", "HTTPServer", "OpenAPI", "Telemetry", "CrashPoint",
        ]),
    .target(name: "Simulator", dependencies: ["JSON", "Crypto", "HTTPServer", "Telemetry"]),

    // Commands, settings and wiring.
    .executableTarget(
        name: "renga",
        dependencies: [
            "API", "Worker", "Simulator", "JobStoreSQLite", "JobStorePostgres", "JobStoreCopy", "Postgres",
            "StoreRules", "Models",
            "Jobs", "HTTPServer",
            "HTTPClient", "JSON", "Crypto", "System", "Telemetry", "SQLite",
        ]),

    // Its measure: `./dev bench`.
    .executableTarget(
        name: "renga-bench",
        dependencies: [
            "JobStoreSQLite", "JobStorePostgres", "Jobs", "SQLite", "Postgres", "TestPostgres", "RawServer",
            "HTTPClient", "HTTPServer", "JSON", "Crypto", "System",
        ],
        path: "Benchmarks", exclude: ["README.md", "RESULTS.md"]),
]

let tests: [Target] = [
    // What the tests of several modules share.
    .target(name: "TestSupport", dependencies: ["Jobs", "System"], path: "Tests/TestSupport"),
    // What must be true of a store's rows, whoever wrote them.
    .target(name: "StoreAudit", dependencies: ["SQLite", "Postgres"], path: "Tests/StoreAudit"),
    // A file system that remembers, and that fails when it is told to.
    .target(name: "FaultyDisk", dependencies: ["CSQLite"], path: "Tests/FaultyDisk"),
    // A PostgreSQL server for tests, which ends with them.
    .target(name: "TestPostgres", dependencies: ["Postgres", "System"], path: "Tests/TestPostgres"),
    .testTarget(name: "TidyTests"),
    .testTarget(name: "JSONTests", dependencies: ["JSON", "TestSupport"]),
    .testTarget(name: "CryptoTests", dependencies: ["Crypto"]),
    .testTarget(name: "SystemTests", dependencies: ["System", "TestSupport"]),
    .testTarget(name: "TelemetryTests", dependencies: ["Telemetry", "JSON"]),
    .testTarget(name: "SQLiteTests", dependencies: ["SQLite", "TestSupport"]),
    .testTarget(
        name: "PostgresTests",
        dependencies: ["Postgres", "TestPostgres", "RawServer", "System", "TestSupport"]),
    .testTarget(
        name: "HTTPServerTests", dependencies: ["HTTPServer", "HTTPClient", "TestSupport"]),
    .testTarget(
        name: "HTTPClientTests", dependencies: ["HTTPClient", "HTTPServer", "RawServer", "TestSupport"]),
    .testTarget(name: "JobsTests", dependencies: ["Jobs", "JSON", "TestSupport"]),
    .testTarget(name: "StoreRulesTests", dependencies: ["StoreRules", "Jobs", "JSON", "TestSupport"]),
    .testTarget(name: "DialectsTests", dependencies: ["Dialects", "Jobs", "JSON"]),
    // What a store must do, whatever it is made of: suites over each that can run here. `JobStoreTests` runs them too.
    .target(
        name: "StoreConformance",
        dependencies: [
            "Jobs", "JSON", "Crypto", "StoreRules", "JobStoreSQLite", "SQLite", "StoreAudit", "JobStoreCopy",
            "JobStorePostgres", "Postgres", "Migrations", "TestPostgres", "TestSupport",
        ],
        path: "Tests/StoreConformance"),
    // What only SQLite has: its file, its log, its plans.
    .testTarget(
        name: "JobStoreTests",
        dependencies: [
            "StoreConformance", "Jobs", "JSON", "StoreRules", "JobStoreSQLite", "JobStoreCopy", "SQLite",
            "Postgres", "Migrations", "StoreAudit", "FaultyDisk", "TestSupport",
        ]),
    // What only PostgreSQL has: a server that may not do, a schema that others change, replicas, plans.
    .testTarget(
        name: "JobStorePostgresTests",
        dependencies: [
            "StoreConformance", "Jobs", "StoreRules", "JobStorePostgres", "Postgres", "Migrations",
            "RawServer",
            "TestPostgres", "TestSupport",
        ]),
    .testTarget(
        name: "JobStoreCopyTests",
        dependencies: [
            "JobStoreCopy", "SQLite", "Postgres", "Migrations", "StoreAudit", "TestPostgres", "TestSupport",
        ]),
    .testTarget(
        name: "ModelsTests",
        dependencies: [
            "Models", "Dialects", "Jobs", "JSON", "HTTPClient", "HTTPServer", "Simulator", "Telemetry",
            "TestSupport",
        ]),
    .testTarget(
        name: "WorkerTests",
        dependencies: ["Worker", "Jobs", "JSON", "JobStoreSQLite", "Telemetry", "TestSupport"]),
    .testTarget(
        name: "APITests",
        dependencies: [
            "API", "Jobs", "JSON", "HTTPServer", "HTTPClient", "JobStoreSQLite", "OpenAPI", "System",
            "Telemetry", "TestSupport",
        ]),
    .testTarget(
        name: "SimulatorTests", dependencies: ["Simulator", "JSON", "HTTPServer", "HTTPClient", "Telemetry"]),
    .testTarget(
        name: "RengaTests",
        dependencies: [
            "renga", "Jobs", "JSON", "HTTPClient", "HTTPServer", "Simulator", "JobStoreSQLite", "OpenAPI",
            "System", "Models", "Telemetry", "RawServer", "TestSupport",
        ]),
    // Every way in which a provider fails, from the socket to the job's history.
    .testTarget(
        name: "FaultTests",
        dependencies: [
            "Models", "Worker", "JobStoreSQLite", "Jobs", "JSON", "HTTPClient", "HTTPServer", "Simulator",
            "RawServer", "Telemetry", "TestSupport",
        ]),
    // What must hold of every input.
    .testTarget(
        name: "FuzzTests", dependencies: ["API", "Models", "Jobs", "JSON", "HTTPClient", "TestSupport"],
        exclude: ["Corpus", "Long"]),
    // A server of raw sockets, which breaks the rules that real ones keep.
    .target(name: "RawServer", dependencies: ["System"], path: "Tests/RawServer"),
    // What tests preload into processes whose calendar they turn by hand.
    // Whoever starts them is preloaded with it too, and knows nothing of a sanitizer: `./dev sanitize`.
    .target(
        name: "FakeCalendar", path: "Tests/FakeCalendar",
        cSettings: [.unsafeFlags(["-fno-sanitize=all"])]),
    // The binary itself, as processes of its own: `./dev crash`.
    .testTarget(
        name: "EndToEndTests",
        dependencies: [
            "renga", "CrashPoint", "HTTPClient", "HTTPServer", "JSON", "JobStoreCopy", "JobStorePostgres",
            "Jobs",
            "Migrations", "Postgres",
            "SQLite", "StoreAudit", "System", "TestPostgres", "TestSupport",
        ]),
]

/// The same properties as a program that libFuzzer drives, where `./dev fuzz` asks for it.
let fuzzing: [Target] =
    Context.environment["RENGA_FUZZ"] == nil
    ? []
    : [
        .executableTarget(
            name: "renga-fuzz", dependencies: ["API", "Models", "Jobs", "JSON", "HTTPClient", "TestSupport"],
            path: "Tests/FuzzTests", exclude: ["Corpus", "Short"])
    ]

// Test targets to build, by name with commas between: `RENGA_TESTS=JobsTests,JobStoreTests ./dev test`. All by default.
let wantedTests = Context.environment["RENGA_TESTS"]?.split(separator: ",").map(String.init)

let package = Package(
    name: "renga",
    products: [
        .executable(name: "renga", targets: ["renga"]),
        .library(name: "FakeCalendar", type: .dynamic, targets: ["FakeCalendar"]),
    ],
    dependencies: [],
    // Two targets cannot have one folder.
    targets: systemLibraries + modules + fuzzing
        + tests.filter { fuzzing.isEmpty || $0.name != "FuzzTests" }
        .filter { $0.type != .test || wantedTests?.contains($0.name) ?? true },
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system && target.name != "FakeCalendar" {
    var settings: [SwiftSetting] = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ]
    let isForTests = target.type == .test || target.path?.hasPrefix("Tests/") == true
    if !isForTests && !touchesC.contains(target.name) && !embeds.contains(target.name) {
        settings.append(.strictMemorySafety())
    }
    target.swiftSettings = settings
}
