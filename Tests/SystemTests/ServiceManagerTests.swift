import Foundation
import System
import TestSupport
import Testing

struct ServiceManagerTests {
    private func found(_ environment: [String: String], process: Int32 = 7) -> ServiceManager? {
        ServiceManager(process: process) { environment[$0] }
    }

    @Test func `nobody is told if there is no manager`() {
        #expect(found([:]) == nil)
        #expect(found(["NOTIFY_SOCKET": "", "WATCHDOG_USEC": "1000000"]) == nil)
    }

    @Test(
        arguments: [
            ("30000000", nil, Duration.seconds(30)), ("1", "7", .microseconds(1)), ("30000000", "8", nil),
            ("30000000", "x", nil), ("0", nil, nil), ("-1", nil, nil), ("99999999999999999999", nil, nil),
            ("soon", nil, nil), (nil, nil, nil),
        ] as [(String?, String?, Duration?)])
    func `its patience is what it says for this process`(_ given: (String?, String?, Duration?)) {
        var environment = ["NOTIFY_SOCKET": "/run/notify"]
        environment["WATCHDOG_USEC"] = given.0
        environment["WATCHDOG_PID"] = given.1
        #expect(found(environment)?.patience == given.2)
    }

    @Test func `it hears each word, at a path or at a name in no folder`() throws {
        let folder = try TemporaryFolder()
        for name in [folder.path + "/notify", "@renga-test-\(UUID())"] {
            let inbox = try DatagramInbox(name)
            let manager = try #require(found(["NOTIFY_SOCKET": name]))
            try manager.tell(.ready)
            try manager.tell(.alive)
            try manager.tell(.stopping)
            #expect(inbox.next() == "READY=1" && inbox.next() == "WATCHDOG=1" && inbox.next() == "STOPPING=1")
        }
    }

    @Test(arguments: ["notify", "/" + String(repeating: "n", count: 107), "/nowhere/notify"])
    func `an address that is none is named in the error`(_ name: String) throws {
        let manager = try #require(found(["NOTIFY_SOCKET": name]))
        let error = #expect(throws: SystemError.self) { try manager.tell(.ready) }
        #expect(error?.message.contains("NOTIFY_SOCKET") == true && error?.message.contains(name) == true)
    }
}
